"""A small OpenID provider over real HTTP, which can be told to lie."""

import secrets
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Annotated, Any
from urllib.parse import parse_qsl, quote, urlencode

from authlib.oauth2.rfc7636 import create_s256_code_challenge
from fastapi import FastAPI, Header, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from governance.canonical import utc_now


@dataclass
class Provider:
    """What it says of whoever comes.

    Attributes:
        subject: who is signed in there.
        lies: claims of the ID token that are not as they should be; None leaves one out.
        described: members of its description, likewise.
        key: signs ID tokens; ``published`` is what it publishes.
        algorithm: of ID tokens.
    """

    issuer: str
    subject: str = "staff-1"
    client: str = "console"
    secret: str = "a secret / with & signs"
    lies: dict[str, Any] = field(default_factory=dict)
    described: dict[str, Any] = field(default_factory=dict)
    key: Any = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "one"}))
    published: Any = None
    algorithm: str = "ES256"
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)

    def app(self) -> FastAPI:
        """The provider's service."""
        app = FastAPI(openapi_url=None)

        @app.get("/.well-known/openid-configuration")
        def description() -> dict[str, Any]:
            return {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
            } | self.described

        @app.get("/keys")
        def keys() -> Any:
            return KeySet([self.published or self.key]).as_dict(private=False)

        @app.get("/authorize")
        def authorize(request: Request) -> Response:
            query = dict(request.query_params)
            self.asked.append(query)
            code = secrets.token_urlsafe(16)
            self.codes[code] = query
            back = {"code": code, "state": query["state"], "iss": self.issuer}
            return RedirectResponse(f"{query['redirect_uri']}?{urlencode(back)}", 303)

        @app.post("/token")
        async def token(request: Request, authorization: Annotated[str, Header()]) -> Response:
            form = dict(parse_qsl((await request.body()).decode()))
            query = self.codes.pop(form["code"], None)
            if query is None or authorization != self._basic() or not self._proves(form, query):
                return JSONResponse({"error": "invalid_grant"}, 400)
            now = int(utc_now().timestamp())
            claims = {
                "iss": self.issuer, "aud": self.client, "sub": self.subject,
                "iat": now, "exp": now + 300, "nonce": query["nonce"],
                "auth_time": now if "max_age" in query else None,
            } | self.lies  # fmt: skip
            claims = {name: value for name, value in claims.items() if value is not None}
            header = {"alg": self.algorithm, "kid": "one"}
            signed = jwt.encode(header, claims, self.key, algorithms=[self.algorithm])
            return JSONResponse({"token_type": "Bearer", "access_token": "x", "id_token": signed})

        return app

    def _basic(self) -> str:
        pair = f"{quote(self.client, safe='')}:{quote(self.secret, safe='')}"
        return "Basic " + b64encode(pair.encode()).decode()

    def _proves(self, form: dict[str, str], query: dict[str, str]) -> bool:
        challenge = create_s256_code_challenge(form["code_verifier"])
        return (challenge, form["redirect_uri"]) == (query["code_challenge"], query["redirect_uri"])
