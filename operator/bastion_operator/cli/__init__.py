"""kubectl bastion …"""
