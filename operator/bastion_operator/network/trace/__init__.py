"""The way of one connection, hop by hop, with the tables of rules and routes that it meets: what explains a verdict."""

from bastion_operator.network.trace.hop import Hop, Leg, Mark, Outcome, RouteRow, RuleRow, Trace
from bastion_operator.network.trace.walk import trace

__all__ = ["Hop", "Leg", "Mark", "Outcome", "RouteRow", "RuleRow", "Trace", "trace"]
