"""The one connection to the API server: where it is, who we are, a time limit for every request, errors by kind.

Requests and answers are plain JSON: it is what conditions, server-side apply and custom resources are made of.
"""

import contextlib
import os
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
import orjson
import yaml
from kubernetes.aio.client import ApiClient, Configuration
from kubernetes.aio.config import ConfigException, load_kube_config
from kubernetes.aio.config.incluster_config import InClusterConfigLoader

from bastion_operator.clock import Clock, SystemClock
from bastion_operator.fenced_request import fenced_request
from bastion_operator.kube.errors import ConfigurationError, UnavailableError, error_of
from bastion_operator.kube.yaml_body import yaml_body
from bastion_operator.leadership import Leadership
from bastion_operator.proxies import checked_proxy, proxy_to

FIELD_MANAGER = "bastion-operator"
KUBECONFIG = "KUBECONFIG"
SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")

JSON = "application/json"
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
# With the character set the SDK leaves the body as it is given (see kube/yaml_body.py).
APPLY_PATCH = "application/apply-patch+yaml; charset=utf-8"

_CONNECT_SECONDS = 10.0
_REQUEST_SECONDS = 30.0
# A service account's token is renewed by the kubelet long before it ends (after 80 % of at least ten minutes).
_CREDENTIAL_SECONDS = 60.0
_CONNECTIONS = 32
_OK, _LAST_SUCCESS, _UNAUTHORIZED = 200, 299, 401


@dataclass(frozen=True, slots=True)
class KubeconfigFile:
    """A cluster that a kubeconfig names; ``path`` may be several, joined as in KUBECONFIG."""

    path: str
    context: str | None = None

    def __str__(self) -> str:
        return f"kubeconfig {self.path}"

    async def load_into(self, configuration: Configuration) -> None:
        """Read address, CA and credentials as they are now. Raises ConfigurationError."""
        with told_as_configuration_error(self):
            await load_kube_config(
                config_file=self.path,
                context=self.context,
                client_configuration=configuration,
                persist_config=False,
            )


@dataclass(frozen=True, slots=True)
class PodServiceAccount:
    """The cluster in which this process runs, as the service account of its pod."""

    host: str
    port: str
    folder: Path = SERVICE_ACCOUNT

    def __str__(self) -> str:
        return f"the pod's service account in {self.folder}"

    async def load_into(self, configuration: Configuration) -> None:
        """Read address, CA and token as they are now. Raises ConfigurationError."""
        with told_as_configuration_error(self):
            InClusterConfigLoader(
                token_filename=str(self.folder / "token"),
                cert_filename=str(self.folder / "ca.crt"),
                # Its own renewal goes by the wall clock; this client's goes by the clock that tests can move.
                try_refresh_token=False,
                environ={"KUBERNETES_SERVICE_HOST": self.host, "KUBERNETES_SERVICE_PORT": self.port},
            ).load_and_set(configuration)


ClusterConfig = KubeconfigFile | PodServiceAccount


@contextlib.contextmanager
def told_as_configuration_error(config: ClusterConfig) -> Iterator[None]:
    """Whatever goes wrong with a configuration is told as ConfigurationError."""
    try:
        yield
    except (KeyError, TypeError, AttributeError) as error:
        # The loaders take it for granted that every part has its shape: their words would be Python's, not the file's.
        raise ConfigurationError(f"{config} cannot be used: it is no kubeconfig") from error
    except (ConfigException, OSError, ValueError, yaml.YAMLError) as error:
        raise ConfigurationError(f"{config} cannot be used: {error}") from error


def find_cluster(
    path: Path | str | None = None, *, context: str | None = None, environ: Mapping[str, str] = os.environ
) -> ClusterConfig:
    """An explicit path, else KUBECONFIG, else the service account of the pod. Never ~/.kube/config by itself.

    Raises ConfigurationError if there is none of them.
    """
    chosen = str(path) if path is not None else environ.get(KUBECONFIG, "")
    if chosen:
        if not any(Path(each).is_file() for each in chosen.split(os.pathsep) if each):
            raise ConfigurationError(f"kubeconfig {chosen}: no such file. Correct the path or {KUBECONFIG}")
        return KubeconfigFile(chosen, context)
    host = environ.get("KUBERNETES_SERVICE_HOST", "")
    if not host:
        raise ConfigurationError(f"no cluster to talk to: set {KUBECONFIG}, or run in a pod with a service account")
    return PodServiceAccount(host, environ.get("KUBERNETES_SERVICE_PORT", "443"))


class KubeClient:
    """Requests to one API server. Make it with :meth:`connect`, and close it, or use it in ``async with``."""

    def __init__(self, config: ClusterConfig, api: ApiClient, clock: Clock, leadership: Leadership) -> None:
        self._config = config
        self._api = api
        self._clock = clock
        self._leadership = leadership
        self._read_at = clock.monotonic()
        api.configuration.refresh_api_key_hook = self._renew_credentials

    @classmethod
    async def connect(
        cls, config: ClusterConfig, clock: Clock | None = None, leadership: Leadership | None = None
    ) -> Self:
        """Read the configuration; the first request opens the first connection. Raises ConfigurationError.

        Without ``leadership`` it may always write.
        """
        configuration = Configuration()
        configuration.connection_pool_maxsize = _CONNECTIONS
        await config.load_into(configuration)
        with told_as_configuration_error(config):
            named = configuration.proxy
            configuration.proxy = checked_proxy(named, "proxy-url") if named else proxy_to(configuration.host)
        leadership = leadership or Leadership.undisputed()
        # A connection that must be waited for may outlast the right to write that was there before.
        fenced = fenced_request(leadership, _is_write)
        configuration.client_session_kwargs = {"trust_env": False, "request_class": fenced}
        api = ApiClient(configuration)
        api.user_agent = FIELD_MANAGER
        return cls(config, api, clock or SystemClock(), leadership)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._api.close()

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
        content_type: str = JSON,
        accept: str = JSON,
        timeout: float = _REQUEST_SECONDS,  # noqa: ASYNC109 - aiohttp's own limit, which also covers the connection
    ) -> dict[str, Any]:
        """Send one request and return the answer's JSON object.

        ``path`` has its parts quoted already. Nothing is tried twice, except once with fresh credentials after a 401.
        Raises the errors of ``kube.errors``, and NotLeadingError for a write by a process that may not write.
        """
        return _object(await self._answer(method, path, query, body, content_type, accept, timeout))

    async def text(self, path: str, *, timeout: float = _REQUEST_SECONDS) -> str:  # noqa: ASYNC109 - as above
        """What stands at a path of the API server's that is no JSON, such as a page of a pod by the proxy.

        Raises the errors of ``kube.errors``.
        """
        return (await self._answer("GET", path, None, None, JSON, "*/*", timeout)).decode("utf-8", "replace")

    async def _answer(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: object,
        content_type: str,
        accept: str,
        seconds: float,
    ) -> bytes:
        status, raw, retry_after = await self._send(method, path, query, body, content_type, accept, seconds)
        if status == _UNAUTHORIZED:
            await self._read_credentials()
            status, raw, retry_after = await self._send(method, path, query, body, content_type, accept, seconds)
        if _OK <= status <= _LAST_SUCCESS:
            return raw
        raise error_of(method, path, status, _object(raw), retry_after)

    async def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: object,
        content_type: str,
        accept: str,
        seconds: float,
    ) -> tuple[int, bytes, str | None]:
        try:
            serialized = await self._api.param_serialize(
                method,
                path,
                query_params=list((query or {}).items()),
                header_params={"Accept": accept, "Content-Type": content_type},
                body=yaml_body(body) if content_type == APPLY_PATCH else body,
                auth_settings=["BearerToken"],
            )
            if _is_write(method, path):
                self._leadership.check()
            limit = aiohttp.ClientTimeout(total=seconds, sock_connect=_CONNECT_SECONDS)
            response = await self._api.call_api(*serialized, _request_timeout=limit)
            raw = await response.read()
        except TimeoutError as error:
            raise UnavailableError(f"{method} {path}: no answer within {seconds:.0f} s") from error
        except aiohttp.ClientResponseError as error:
            raise UnavailableError(f"{method} {path}: the API server cannot be reached: {_told(error)}") from None
        except (aiohttp.ClientError, OSError) as error:
            raise UnavailableError(f"{method} {path}: the API server cannot be reached: {error}") from error
        return response.status, raw, response.headers.get("Retry-After")

    async def stream(
        self, path: str, *, query: Mapping[str, str], accept: str = JSON, seconds: float
    ) -> AsyncGenerator[dict[str, Any]]:
        """The JSON objects of an answer that goes on, one a line, until the server ends it: a watch.

        ``seconds`` is how long the server may be silent. Raises the errors of ``kube.errors``.
        """
        try:
            serialized = await self._api.param_serialize(
                "GET",
                path,
                query_params=list(query.items()),
                header_params={"Accept": accept},
                auth_settings=["BearerToken"],
            )
            limit = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS, sock_read=seconds)
            answer = (await self._api.call_api(*serialized, _request_timeout=limit)).response
            if not _OK <= answer.status <= _LAST_SUCCESS:
                raise error_of("GET", path, answer.status, _object(await answer.read()), None)
            try:
                async for line in _lines(answer.content):
                    yield _object(line)
            finally:
                answer.close()
        except aiohttp.ClientResponseError as error:
            raise UnavailableError(f"GET {path}: the watch broke off: {_told(error)}") from None
        except (aiohttp.ClientError, OSError) as error:
            raise UnavailableError(f"GET {path}: the watch broke off: {error}") from error

    async def _renew_credentials(self, configuration: Configuration) -> None:
        """Called by the client before each request: a rotated token is used within a minute."""
        del configuration
        if self._clock.monotonic() - self._read_at >= self._clock.of_real(_CREDENTIAL_SECONDS):
            await self._read_credentials()

    async def _read_credentials(self) -> None:
        self._read_at = self._clock.monotonic()
        await self._config.load_into(self._api.configuration)


def _is_write(method: str, path: str) -> bool:
    del path
    return method != "GET"


def _told(error: aiohttp.ClientResponseError) -> str:
    """What answered in the API server's place. aiohttp's own text holds the proxy's URL, and so its password."""
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return f"the proxy answers {error.status} {error.message}".rstrip()
    return f"the answer is no HTTP: {error.message}"


async def _lines(content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """Lines of any length: the reader's own stop at 128 KiB."""
    begun = b""
    async for chunk in content.iter_any():
        *whole, begun = (begun + chunk).split(b"\n")
        for line in whole:
            yield line


def _object(raw: bytes) -> dict[str, Any]:
    """The JSON object of an answer; a proxy's page or nothing at all is an empty one, with the text as message."""
    try:
        parsed = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return {"message": raw[:256].decode("utf-8", "replace")} if raw else {}
    return parsed if isinstance(parsed, dict) else {}
