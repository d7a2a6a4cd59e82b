package main
import (
 _ "github.com/Azure/azure-sdk-for-go/sdk/azidentity"
 _ "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"
 _ "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v3"
)
func main(){}
