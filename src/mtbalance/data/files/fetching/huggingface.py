"""Files of Hugging Face data sets, resolved by the library huggingface_hub; ``HF_ENDPOINT``, ``HF_TOKEN`` are its own.

The library's own download is not used: it would keep a second copy of every file in its cache.
"""

from __future__ import annotations

import os
from typing import Any

from mtbalance.config.addresses import parsed
from mtbalance.data.files.fetching.limits import Limits
from mtbalance.data.files.fetching.refusals import Interrupted, Refused, cleaned, reason_of, refuse_status
from mtbalance.data.files.fetching.resource import Resource, connection

ACCESS = (
    "no access to this data set, or there is none of this name; accept its terms on its page at Hugging Face, if it "
    "has any, then set HF_TOKEN to a token of that account"
)


def resolve(address: str, limits: Limits) -> Resource:
    """The file ``hf:<owner>/<data set>@<revision>/<file>``, with its size, and its checksum if it is in LFS or Xet."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # else it asks the hub for more before it asks for the file
    from huggingface_hub import HfApi, hf_hub_url
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

    where: Any = parsed(address).parts
    place = {"repo_id": where["dataset"], "repo_type": "dataset", "revision": where["revision"]}
    endpoint = os.environ.get("HF_ENDPOINT", "").rstrip("/") or None  # the library reads it only when it is imported
    found = _asked(HfApi(endpoint=endpoint), place, where["file"], limits)
    url = hf_hub_url(filename=where["file"], endpoint=endpoint, **place)
    checksum = None if found.lfs is None else found.lfs.sha256
    return Resource(address, url, connection(build_hf_headers(library_name="mtbalance")), ACCESS, found.size, checksum)


def _asked(hub: Any, place: dict[str, Any], file: str, limits: Limits) -> Any:
    """What the hub knows of the file."""
    import httpx2  # the HTTP library of huggingface_hub
    from huggingface_hub import RepoFile, get_session
    from huggingface_hub.errors import (
        HfHubHTTPError,
        HFValidationError,
        OfflineModeIsEnabled,
        RevisionNotFoundError,
    )

    get_session().timeout = limits.silent_s
    try:
        answer = hub.get_paths_info(paths=[file], **place)
    except RevisionNotFoundError:
        raise Refused(f"the data set has no revision {place['revision']}; is the address right?") from None
    except HfHubHTTPError as error:
        response = error.response
        refuse_status(response.status_code, response.headers, response.content, ACCESS, limits.patience_s)
        raise
    except (HFValidationError, OfflineModeIsEnabled) as error:
        raise Refused(cleaned(str(error))) from None
    except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError) as error:
        raise Refused(
            f"no connection to {hub.endpoint} ({reason_of(error)}); is there a network, and is HF_ENDPOINT right?"
        ) from None
    except httpx2.UnsupportedProtocol:
        raise Refused(f"HF_ENDPOINT is {hub.endpoint!r}, not an address such as https://huggingface.co") from None
    except httpx2.TimeoutException:
        raise Interrupted(f"no answer for {limits.silent_s:g} s") from None
    except httpx2.HTTPError as error:
        raise Interrupted(f"the connection failed ({reason_of(error)})") from None
    except ValueError:
        raise Interrupted("the hub's answer is no JSON") from None
    if not answer or not isinstance(answer[0], RepoFile):
        raise Refused(f"the data set has no file {file} at this revision; is the address right?")
    return answer[0]
