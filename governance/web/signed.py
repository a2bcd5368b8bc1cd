"""Bodies of signed requests: read no further than allowed, then verified."""

from fastapi import Request
from fastapi.concurrency import run_in_threadpool

from governance.errors import ReasonedError, SignatureError
from governance.exchange.http import NotFresh, RequestVerifier, SignedRequest


class RequestSignatureError(SignatureError):
    """A request is not signed by a key that the ledger knows."""

    reason = "request.signature"


class RequestTimeError(RequestSignatureError):
    """A request was signed too long ago, or in the future: one of two clocks is wrong."""

    reason = "request.time"


async def read_body(request: Request, most: int, too_large: type[ReasonedError]) -> bytes:
    """A request's body.

    Raises:
        ReasonedError: ``too_large``, as soon as more than ``most`` bytes came.
    """
    parts = bytearray()
    async for part in request.stream():
        parts += part
        if len(parts) > most:
            raise too_large(f"a request here has at most {most} bytes")
    return bytes(parts)


async def verify_request(
    request: Request, body: bytes, verifier: RequestVerifier, public_url: str | None
) -> str:
    """The thumbprint of the keys that signed a request.

    Args:
        request: as it came.
        body: its whole body.
        verifier: knows keys and nonces.
        public_url: how callers address the service when a proxy stands before it.

    Raises:
        RequestTimeError: signed more than a minute ago, or in the future.
        RequestSignatureError: unsigned, altered, replayed, or by an unknown key.
    """
    query = f"?{request.url.query}" if request.url.query else ""
    url = str(request.url) if public_url is None else f"{public_url}{request.url.path}{query}"
    signed = SignedRequest(request.method, url, request.headers)
    try:
        return await run_in_threadpool(verifier.verify, signed, body)
    except NotFresh as error:
        raise RequestTimeError(error.message, next_step=error.next_step) from error
    except SignatureError as error:
        raise RequestSignatureError(error.message, next_step=error.next_step) from error
