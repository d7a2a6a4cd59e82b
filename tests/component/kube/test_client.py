"""The client finds its cluster, keeps its credentials fresh, and tells errors apart."""

import asyncio
import shutil
import traceback
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer

from bastion_operator.api import BastionHost
from bastion_operator.clock import SystemClock
from bastion_operator.kube.client import KubeClient, KubeconfigFile, PodServiceAccount, find_cluster
from bastion_operator.kube.errors import (
    ConfigurationError,
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    UnavailableError,
)
from bastion_operator.kube.resources import path_of
from bastion_operator.leadership import Leadership, NotLeadingError
from dev.control_plane import ControlPlane
from dev.control_plane.server import free_ports
from tests.support.clock import ManualClock
from tests.support.crd_examples import host
from tests.support.kube import RecordingClient

KUBE_SYSTEM = "/api/v1/namespaces/kube-system"


class TestFindingTheCluster:
    def test_an_explicit_path_comes_before_the_environment(self, tmp_path: Path) -> None:
        (tmp_path / "mine").touch()
        found = find_cluster(tmp_path / "mine", context="c", environ={"KUBECONFIG": "/nowhere"})
        assert found == KubeconfigFile(str(tmp_path / "mine"), "c")

    def test_kubeconfig_comes_before_the_pods_account(self, tmp_path: Path) -> None:
        (tmp_path / "mine").touch()
        chosen = f"/nowhere:{tmp_path}/mine"
        assert find_cluster(environ={"KUBECONFIG": chosen, "KUBERNETES_SERVICE_HOST": "h"}) == KubeconfigFile(chosen)

    def test_in_a_pod_it_is_the_pods_account(self) -> None:
        environ = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "6443"}
        assert find_cluster(environ=environ) == PodServiceAccount("10.0.0.1", "6443")

    def test_a_path_that_is_not_there_is_named(self) -> None:
        with pytest.raises(ConfigurationError, match="kubeconfig /nowhere: no such file"):
            find_cluster("/nowhere", environ={})

    def test_without_any_it_says_what_to_do(self) -> None:
        with pytest.raises(ConfigurationError, match="set KUBECONFIG, or run in a pod"):
            find_cluster(environ={})

    @pytest.mark.parametrize("content", ["", "a: [", "[]", "kind: Config", "current-context: x\ncontexts: []"])
    async def test_a_file_that_is_no_kubeconfig_is_named(self, tmp_path: Path, content: str) -> None:
        (tmp_path / "odd").write_text(content, encoding="utf-8")
        with pytest.raises(ConfigurationError, match=f"kubeconfig {tmp_path}/odd cannot be used: "):
            await KubeClient.connect(KubeconfigFile(str(tmp_path / "odd")))

    @pytest.mark.parametrize(
        "content",
        [
            "just words",
            "[]",
            "{current-context: c, contexts: 7}",
            "{current-context: c, contexts: [{name: c, context: words}]}",
        ],
    )
    async def test_a_file_of_another_shape_is_told_in_words_of_its_own(self, tmp_path: Path, content: str) -> None:
        (tmp_path / "odd").write_text(content, encoding="utf-8")
        with pytest.raises(ConfigurationError, match=r"odd cannot be used: it is no kubeconfig$"):
            await KubeClient.connect(KubeconfigFile(str(tmp_path / "odd")))

    async def test_a_pod_without_a_token_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(
            ConfigurationError, match=f"the pod's service account in {tmp_path} cannot be used: .*token"
        ):
            await KubeClient.connect(PodServiceAccount("127.0.0.1", "1", tmp_path))


@pytest.fixture
def pod(control_plane: ControlPlane, namespace: str, tmp_path: Path) -> PodServiceAccount:
    """What a pod of a new service account without rights sees of the cluster."""
    control_plane.kubectl("create", "serviceaccount", "operator", "--namespace", namespace)
    shutil.copy(control_plane.ca_file, tmp_path / "ca.crt")
    token = control_plane.kubectl("create", "token", "operator", "--namespace", namespace)
    (tmp_path / "token").write_text(token.strip(), encoding="utf-8")
    return PodServiceAccount("127.0.0.1", control_plane.url.rpartition(":")[2], tmp_path)


class TestCredentials:
    @pytest.mark.usefixtures("crds_served")
    async def test_a_pods_account_is_accepted_and_a_missing_right_is_named(
        self, pod: PodServiceAccount, namespace: str
    ) -> None:
        async with await KubeClient.connect(pod) as client:
            with pytest.raises(ForbiddenError) as refused:
                await client.request("GET", path_of(BastionHost, namespace))
        said = str(refused.value)
        assert f"system:serviceaccount:{namespace}:operator" in said
        assert 'cannot list resource "bastionhosts" in API group "azurebastion.dev"' in said
        assert "Grant it in the operator's ClusterRole" in said

    async def test_a_token_that_ended_early_is_read_again_at_once(self, pod: PodServiceAccount) -> None:
        good = (pod.folder / "token").read_text(encoding="utf-8")
        (pod.folder / "token").write_text("ended", encoding="utf-8")
        async with await KubeClient.connect(pod, ManualClock()) as client:
            (pod.folder / "token").write_text(good, encoding="utf-8")
            assert (await client.request("GET", "/version"))["major"] == "1"

    async def test_credentials_that_stay_wrong_are_told(self, pod: PodServiceAccount) -> None:
        (pod.folder / "token").write_text("wrong", encoding="utf-8")
        async with await KubeClient.connect(pod) as client:
            with pytest.raises(ForbiddenError, match="does not accept the credentials: check the service account"):
                await client.request("GET", KUBE_SYSTEM)


class TestTheUsersEnvironment:
    async def test_a_netrc_does_not_collide_with_the_token(
        self, pod: PodServiceAccount, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "netrc").write_text("default login somebody password else\n")
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        async with await KubeClient.connect(pod) as client:
            assert (await client.request("GET", "/version"))["major"] == "1"

    async def test_a_proxy_that_is_none_is_told_without_its_password(
        self, pod: PodServiceAccount, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("https_proxy", "no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HTTPS_PROXY", "http://me:word@proxy:port")
        with pytest.raises(ConfigurationError, match="HTTPS_PROXY does not name a proxy") as refused:
            await KubeClient.connect(pod)
        assert "word" not in str(refused.value)

    async def test_a_proxy_of_the_kubeconfig_that_is_none_is_told_without_its_password(self, tmp_path: Path) -> None:
        config = kubeconfig_of(tmp_path, "https://kube.example:6443", proxy="http://me:word@proxy:port")
        with pytest.raises(ConfigurationError, match="proxy-url does not name a proxy") as refused:
            await KubeClient.connect(config)
        assert "word" not in str(refused.value)

    async def test_a_proxy_that_wants_another_password_is_told_without_the_one_it_got(
        self, tmp_path: Path, proxy_of_nobody: str
    ) -> None:
        config = kubeconfig_of(tmp_path, "https://kube.example:6443", proxy=f"http://me:word@{proxy_of_nobody}")
        async with await KubeClient.connect(config) as client:
            with pytest.raises(UnavailableError) as asked:
                await client.request("GET", KUBE_SYSTEM)
            with pytest.raises(UnavailableError) as watched:
                await anext(client.stream(KUBE_SYSTEM, query={}, seconds=5))
        for refused in (asked, watched):
            told = "".join(traceback.format_exception(refused.value))
            assert "the proxy answers 407 Proxy Authentication Required" in told
            assert "word@" not in told


@pytest_asyncio.fixture
async def proxy_of_nobody() -> AsyncIterator[str]:
    """Host and port of a proxy that lets nobody pass."""

    async def refuse(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


Serve = Callable[[Callable[[web.Request], Awaitable[web.Response]]], Awaitable[KubeconfigFile]]


@pytest_asyncio.fixture
async def serve(tmp_path: Path) -> AsyncIterator[Serve]:
    """Starts a server that answers every request as told, for what no healthy API server does; gives its kubeconfig."""
    servers: list[TestServer] = []

    async def start(answer: Callable[[web.Request], Awaitable[web.Response]]) -> KubeconfigFile:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", answer)
        server = TestServer(application, host="127.0.0.1")
        await server.start_server()
        servers.append(server)
        return kubeconfig_of(tmp_path, str(server.make_url("")), token_file=tmp_path / "token")

    (tmp_path / "token").write_text("first", encoding="utf-8")
    yield start
    for server in servers:
        await server.close()


def kubeconfig_of(
    folder: Path, url: str, *, token_file: Path | None = None, proxy: str | None = None
) -> KubeconfigFile:
    """A kubeconfig for a server."""
    cluster = {"server": url} | ({"proxy-url": proxy} if proxy else {})
    user = {"tokenFile": str(token_file)} if token_file else {"token": "t"}
    content = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
        "clusters": [{"name": "k", "cluster": cluster}],
        "users": [{"name": "u", "user": user}],
    }
    (folder / "kubeconfig").write_text(yaml.dump(content), encoding="utf-8")
    return KubeconfigFile(str(folder / "kubeconfig"))


async def test_a_rotated_token_is_used_within_a_minute(serve: Serve, tmp_path: Path) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.json_response({"token": request.headers["Authorization"]})

    clock = ManualClock()
    async with await KubeClient.connect(await serve(answer), clock) as client:
        (tmp_path / "token").write_text("second", encoding="utf-8")
        clock.advance(59)
        assert await client.request("GET", "/") == {"token": "Bearer first"}
        clock.advance(1)
        assert await client.request("GET", "/") == {"token": "Bearer second"}


@pytest.mark.usefixtures("crds_served")
class TestErrors:
    async def test_what_is_not_there(self, kube: RecordingClient, namespace: str) -> None:
        with pytest.raises(NotFoundError, match='"none" not found'):
            await kube.request("GET", path_of(BastionHost, namespace, "none"))

    async def test_what_exists_already(self, kube: RecordingClient, namespace: str) -> None:
        await kube.request("POST", path_of(BastionHost, namespace), body=host())
        with pytest.raises(ConflictError, match="already exists"):
            await kube.request("POST", path_of(BastionHost, namespace), body=host())

    async def test_what_is_wrong(self, kube: RecordingClient, namespace: str) -> None:
        with pytest.raises(InvalidError, match=r"spec\.sku"):
            await kube.request("POST", path_of(BastionHost, namespace), body=host(sku="Gold"))

    async def test_nobody_listening(self, tmp_path: Path) -> None:
        url = f"http://127.0.0.1:{free_ports(1)[0]}"
        async with await KubeClient.connect(kubeconfig_of(tmp_path, url)) as client:
            with pytest.raises(UnavailableError, match="GET /version: the API server cannot be reached") as refused:
                await client.request("GET", "/version")
        assert refused.value.retry_after is None

    @pytest.mark.parametrize(("status", "header", "seconds"), [(429, "7", 7.0), (503, None, None), (500, "soon", None)])
    async def test_a_server_that_asks_to_come_back(
        self, serve: Serve, status: int, header: str | None, seconds: float | None
    ) -> None:
        asked = []

        async def answer(request: web.Request) -> web.Response:
            asked.append(request.method)
            return web.Response(status=status, text="busy", headers={"Retry-After": header} if header else None)

        async with await KubeClient.connect(await serve(answer), SystemClock()) as client:
            with pytest.raises(UnavailableError, match="GET /x: busy") as refused:
                await client.request("GET", "/x")
        assert refused.value.retry_after == seconds
        assert asked == ["GET"]

    async def test_a_server_that_does_not_answer(self, serve: Serve) -> None:
        async def answer(request: web.Request) -> web.Response:
            await SystemClock().sleep(30)
            return web.Response(text=request.path)

        async with await KubeClient.connect(await serve(answer)) as client:
            with pytest.raises(UnavailableError, match="GET /x: no answer within 0 s"):
                await client.request("GET", "/x", timeout=0.05)


class Looks:
    """A clock that jumps past the end of every right to write after so many looks at it."""

    def __init__(self, left: int) -> None:
        self.left = left

    def __call__(self) -> float:
        self.left -= 1
        return 0.0 if self.left >= 0 else 1_000.0


@pytest.mark.parametrize("before", [0, 1, 2])
async def test_the_right_to_write_is_asked_for_with_the_connection_and_before_the_first_byte(
    control_plane: ControlPlane, namespace: str, before: int
) -> None:
    looks = Looks(before)
    leadership = Leadership(looks)
    leadership.extend(10.0)
    config = KubeconfigFile(str(control_plane.kubeconfig))
    maps = f"/api/v1/namespaces/{namespace}/configmaps"
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "late"}}
    async with await KubeClient.connect(config, leadership=leadership) as client:
        with pytest.raises(NotLeadingError):
            await client.request("POST", maps, body=body)
        names = [each["metadata"]["name"] for each in (await client.request("GET", maps))["items"]]
        assert "late" not in names
        looks.left = 3
        await client.request("POST", maps, body=body)
