// Package clients holds the unmodified Go SDKs of Azure against the local Azure.
//
// They find it in the environment: AZURE_AUTHORITY_HOST, AZURE_RESOURCE_MANAGER_ENDPOINT, SSL_CERT_FILE, credentials in
// AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, and the control side's token in LOCAL_AZURE_CONTROL_TOKEN.
package clients

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v3"
)

const (
	subscription = "00000000-0000-0000-0000-000000000001"
	location     = "westeurope"
)

func localCloud() cloud.Configuration {
	return cloud.Configuration{
		ActiveDirectoryAuthorityHost: os.Getenv("AZURE_AUTHORITY_HOST"),
		Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
			cloud.ResourceManager: {
				Audience: "https://management.azure.com",
				Endpoint: os.Getenv("AZURE_RESOURCE_MANAGER_ENDPOINT"),
			},
		},
	}
}

func clientOptions() azcore.ClientOptions {
	return azcore.ClientOptions{Cloud: localCloud()}
}

// azure is what a test works with: the clients, and a resource group of its own.
type azure struct {
	*armnetwork.ClientFactory
	groups *armresources.ResourceGroupsClient
	group  string
}

func secretCredential(t *testing.T) azcore.TokenCredential {
	t.Helper()
	credential, err := azidentity.NewClientSecretCredential(
		os.Getenv("AZURE_TENANT_ID"), os.Getenv("AZURE_CLIENT_ID"), os.Getenv("AZURE_CLIENT_SECRET"),
		&azidentity.ClientSecretCredentialOptions{ClientOptions: clientOptions(), DisableInstanceDiscovery: true},
	)
	must(t, err)
	return credential
}

func newAzure(t *testing.T, credential azcore.TokenCredential) azure {
	t.Helper()
	options := &arm.ClientOptions{ClientOptions: clientOptions()}
	network, err := armnetwork.NewClientFactory(subscription, credential, options)
	must(t, err)
	resources, err := armresources.NewClientFactory(subscription, credential, options)
	must(t, err)
	made := azure{network, resources.NewResourceGroupsClient(), fmt.Sprintf("go-%d", time.Now().UnixNano())}
	_, err = made.groups.CreateOrUpdate(
		t.Context(), made.group, armresources.ResourceGroup{Location: to.Ptr(location)}, nil,
	)
	must(t, err)
	return made
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// finished waits for a long operation, asking every second.
func finished[T any](t *testing.T) func(*runtime.Poller[T], error) T {
	t.Helper()
	return func(poller *runtime.Poller[T], err error) T {
		t.Helper()
		must(t, err)
		result, err := poller.PollUntilDone(t.Context(), &runtime.PollUntilDoneOptions{Frequency: time.Second})
		must(t, err)
		return result
	}
}

// refused tells whether an error is Azure's, with this status and code; the code may be empty for any.
func refused(t *testing.T, err error, status int, code string) {
	t.Helper()
	var answer *azcore.ResponseError
	if !errors.As(err, &answer) {
		t.Fatalf("expected an error of Azure's, got %v", err)
	}
	if answer.StatusCode != status || (code != "" && answer.ErrorCode != code) {
		t.Fatalf("expected %d %s, got %d %s", status, code, answer.StatusCode, answer.ErrorCode)
	}
}

func (a azure) network(t *testing.T, name, prefix string, subnets ...*armnetwork.Subnet) *armnetwork.VirtualNetwork {
	t.Helper()
	body := armnetwork.VirtualNetwork{
		Location: to.Ptr(location),
		Properties: &armnetwork.VirtualNetworkPropertiesFormat{
			AddressSpace: &armnetwork.AddressSpace{AddressPrefixes: to.SliceOfPtrs(prefix)},
			Subnets:      subnets,
		},
	}
	made := finished[armnetwork.VirtualNetworksClientCreateOrUpdateResponse](t)(
		a.NewVirtualNetworksClient().BeginCreateOrUpdate(t.Context(), a.group, name, body, nil),
	)
	return &made.VirtualNetwork
}

func subnet(name, prefix string) *armnetwork.Subnet {
	return &armnetwork.Subnet{
		Name:       to.Ptr(name),
		Properties: &armnetwork.SubnetPropertiesFormat{AddressPrefix: to.Ptr(prefix)},
	}
}

func TestABastionIsCreatedShownAndDeleted(t *testing.T) {
	a := newAzure(t, secretCredential(t))
	hub := a.network(t, "hub", "10.0.0.0/16", subnet("AzureBastionSubnet", "10.0.1.0/26"))
	address := finished[armnetwork.PublicIPAddressesClientCreateOrUpdateResponse](t)(
		a.NewPublicIPAddressesClient().BeginCreateOrUpdate(t.Context(), a.group, "ip", armnetwork.PublicIPAddress{
			Location:   to.Ptr(location),
			SKU:        &armnetwork.PublicIPAddressSKU{Name: to.Ptr(armnetwork.PublicIPAddressSKUNameStandard)},
			Properties: &armnetwork.PublicIPAddressPropertiesFormat{PublicIPAllocationMethod: to.Ptr(armnetwork.IPAllocationMethodStatic)},
		}, nil),
	)
	hosts := a.NewBastionHostsClient()
	host := finished[armnetwork.BastionHostsClientCreateOrUpdateResponse](t)(
		hosts.BeginCreateOrUpdate(t.Context(), a.group, "bastion", armnetwork.BastionHost{
			Location: to.Ptr(location),
			SKU:      &armnetwork.SKU{Name: to.Ptr(armnetwork.BastionHostSKUNameStandard)},
			Properties: &armnetwork.BastionHostPropertiesFormat{
				IPConfigurations: []*armnetwork.BastionHostIPConfiguration{{
					Name: to.Ptr("ip"),
					Properties: &armnetwork.BastionHostIPConfigurationPropertiesFormat{
						Subnet:          &armnetwork.SubResource{ID: hub.Properties.Subnets[0].ID},
						PublicIPAddress: &armnetwork.SubResource{ID: address.ID},
					},
				}},
			},
		}, nil),
	)
	if host.Properties.DNSName == nil || *host.Properties.ProvisioningState != armnetwork.ProvisioningStateSucceeded {
		t.Fatalf("the host is not ready: %+v", host.Properties)
	}
	finished[armnetwork.BastionHostsClientDeleteResponse](t)(hosts.BeginDelete(t.Context(), a.group, "bastion", nil))
	_, err := hosts.Get(t.Context(), a.group, "bastion", nil)
	refused(t, err, http.StatusNotFound, "ResourceNotFound")
}

func TestBothHalvesOfAPeeringConnect(t *testing.T) {
	a := newAzure(t, secretCredential(t))
	hub, spoke := a.network(t, "hub", "10.0.0.0/16"), a.network(t, "spoke", "10.1.0.0/16")
	peerings := a.NewVirtualNetworkPeeringsClient()
	link := func(from, name string, remote *string) armnetwork.VirtualNetworkPeering {
		body := armnetwork.VirtualNetworkPeering{Properties: &armnetwork.VirtualNetworkPeeringPropertiesFormat{
			RemoteVirtualNetwork: &armnetwork.SubResource{ID: remote},
		}}
		return finished[armnetwork.VirtualNetworkPeeringsClientCreateOrUpdateResponse](t)(
			peerings.BeginCreateOrUpdate(t.Context(), a.group, from, name, body, nil),
		).VirtualNetworkPeering
	}
	if near := link("hub", "to-spoke", spoke.ID); *near.Properties.PeeringState != armnetwork.VirtualNetworkPeeringStateInitiated {
		t.Fatalf("expected Initiated, got %s", *near.Properties.PeeringState)
	}
	link("spoke", "to-hub", hub.ID)
	near, err := peerings.Get(t.Context(), a.group, "hub", "to-spoke", nil)
	must(t, err)
	if *near.Properties.PeeringState != armnetwork.VirtualNetworkPeeringStateConnected {
		t.Fatalf("expected Connected, got %s", *near.Properties.PeeringState)
	}
}

func TestAListIsPagedThrough(t *testing.T) {
	a := newAzure(t, secretCredential(t))
	for number := range 3 {
		a.network(t, fmt.Sprintf("vnet-%d", number), fmt.Sprintf("10.%d.0.0/16", number))
	}
	found := 0
	for pager := a.NewVirtualNetworksClient().NewListPager(a.group, nil); pager.More(); {
		page, err := pager.NextPage(t.Context())
		must(t, err)
		found += len(page.Value)
	}
	if found != 3 {
		t.Fatalf("expected 3 networks, found %d", found)
	}
}

func TestAnEtagThatDoesNotMatchIs412(t *testing.T) {
	a := newAzure(t, secretCredential(t))
	made := a.network(t, "hub", "10.0.0.0/16")
	put := func(etag string) error {
		ctx := policy.WithHTTPHeader(t.Context(), http.Header{"If-Match": []string{etag}})
		poller, err := a.NewVirtualNetworksClient().BeginCreateOrUpdate(ctx, a.group, "hub", armnetwork.VirtualNetwork{
			Location:   to.Ptr(location),
			Properties: &armnetwork.VirtualNetworkPropertiesFormat{AddressSpace: made.Properties.AddressSpace},
		}, nil)
		if err != nil {
			return err
		}
		_, err = poller.PollUntilDone(t.Context(), &runtime.PollUntilDoneOptions{Frequency: time.Second})
		return err
	}
	refused(t, put(`W/"00000000-0000-0000-0000-000000000000"`), http.StatusPreconditionFailed, "")
	must(t, put(*made.Etag))
}

func TestAnOperationIsResumedFromItsToken(t *testing.T) {
	a := newAzure(t, secretCredential(t))
	networks := a.NewVirtualNetworksClient()
	poller, err := networks.BeginCreateOrUpdate(t.Context(), a.group, "hub", armnetwork.VirtualNetwork{
		Location: to.Ptr(location),
		Properties: &armnetwork.VirtualNetworkPropertiesFormat{
			AddressSpace: &armnetwork.AddressSpace{AddressPrefixes: to.SliceOfPtrs("10.0.0.0/16")},
		},
	}, nil)
	must(t, err)
	token, err := poller.ResumeToken()
	must(t, err)
	resumed := finished[armnetwork.VirtualNetworksClientCreateOrUpdateResponse](t)(networks.BeginCreateOrUpdate(
		t.Context(), a.group, "hub", armnetwork.VirtualNetwork{},
		&armnetwork.VirtualNetworksClientBeginCreateOrUpdateOptions{ResumeToken: token},
	))
	if *resumed.Name != "hub" {
		t.Fatalf("expected hub, got %s", *resumed.Name)
	}
}

func TestAGroupIsDeletedWithWhatIsInIt(t *testing.T) {
	a := newAzure(t, secretCredential(t))
	a.network(t, "hub", "10.0.0.0/16")
	finished[armresources.ResourceGroupsClientDeleteResponse](t)(a.groups.BeginDelete(t.Context(), a.group, nil))
	_, err := a.NewVirtualNetworksClient().Get(t.Context(), a.group, "hub", nil)
	refused(t, err, http.StatusNotFound, "ResourceGroupNotFound")
}

func TestARevokedTokenIsReplacedByItself(t *testing.T) {
	a := newAzure(t, secretCredential(t))
	control(t, `{"challenge": true}`)
	a.network(t, "hub", "10.0.0.0/16")
}

func TestAWrongSecretIsToldAsEntraDoes(t *testing.T) {
	credential, err := azidentity.NewClientSecretCredential(
		os.Getenv("AZURE_TENANT_ID"), os.Getenv("AZURE_CLIENT_ID"), "wrong",
		&azidentity.ClientSecretCredentialOptions{ClientOptions: clientOptions(), DisableInstanceDiscovery: true},
	)
	must(t, err)
	_, err = credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://management.azure.com/.default"}})
	var failed *azidentity.AuthenticationFailedError
	if !errors.As(err, &failed) || !bytes.Contains([]byte(failed.Error()), []byte("AADSTS7000215")) {
		t.Fatalf("expected AADSTS7000215, got %v", err)
	}
}

func TestAManagedIdentityIsServed(t *testing.T) {
	credential, err := azidentity.NewManagedIdentityCredential(nil)
	must(t, err)
	a := newAzure(t, credential)
	a.network(t, "hub", "10.0.0.0/16")
}

// control changes the account of the principal that the tests run as.
func control(t *testing.T, change string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	url := os.Getenv("AZURE_RESOURCE_MANAGER_ENDPOINT") + "/_emulator/principals/app"
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewBufferString(change))
	must(t, err)
	request.Header.Set("Authorization", "Bearer "+os.Getenv("LOCAL_AZURE_CONTROL_TOKEN"))
	answer, err := http.DefaultClient.Do(request)
	must(t, err)
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("the control side answered %s", answer.Status)
	}
}
