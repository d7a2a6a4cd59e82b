"""The proxies that ``HTTPS_PROXY``, ``HTTP_PROXY`` and ``NO_PROXY`` name, as curl reads them.

aiohttp, told to look into the environment, reads these variables and the user's ``.netrc`` in another thread for every single
request; and what a ``.netrc`` says collides with the token. So sessions are told not to, and each host's proxy is found once.
"""

from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass


class ProxySettingError(ValueError):
    """What a setting names as a proxy is no URL of one. The text tells nothing of it: it may hold a password."""


def proxy_to(url: str) -> str | None:
    """The URL of the proxy that leads to a URL's host, or None. Without a scheme it is plain HTTP to the proxy.

    :raises ProxySettingError: if the environment names something else
    """
    parts = urlsplit(url)
    named = None if proxy_bypass(parts.netloc) else getproxies().get(parts.scheme)
    if not named:
        return None
    return checked_proxy(named, f"{parts.scheme.upper()}_PROXY")


def checked_proxy(named: str, setting: str) -> str:
    """The URL of a proxy as a setting names it. Without a scheme it is plain HTTP to the proxy.

    :raises ProxySettingError: if it is no such URL; with the setting's name, never with its value
    """
    proxy = named if "://" in named else f"http://{named}"
    if not _is_proxy(proxy):
        raise ProxySettingError(f"{setting} does not name a proxy as http://host:port")
    return proxy


def _is_proxy(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
