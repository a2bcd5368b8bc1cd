"""The calls by which partners' agents hand things to a hub; ``HubClient`` sends them."""

from abc import abstractmethod
from collections.abc import Mapping

from pydantic import BaseModel

from governance.exchange.hub_api import (
    RevealList,
    SecretPost,
    SubmissionList,
    SubmissionPost,
    SubmissionView,
)
from governance.exchange.refinement import ProfilesPost, RoundList, RoundRefusal
from governance.exchange.release_api import AnswerPost, OrderList
from governance.identity.envelope import Envelope, Model


class AgentCalls:
    """What an agent asks of a hub."""

    def post_secrets(self, secrets: SecretPost) -> None:
        """Hand over sealed linkage secrets."""
        self._call("POST", "/v1/secrets", secrets)

    def secret(self, agreement: str, epoch: int) -> Envelope:
        """The linkage secret that was sealed to the caller."""
        return self._get(f"/v1/secrets/{agreement}/{epoch}", Envelope)

    def post_submission(self, manifest: Envelope) -> SubmissionView:
        """Announce a submission; the answer says how many bytes the hub holds already."""
        return self._post("/v1/submissions", SubmissionPost(manifest=manifest), SubmissionView)

    def submission(self, id_: str) -> SubmissionView:
        """Where a submission stands."""
        return self._get(f"/v1/submissions/{id_}", SubmissionView)

    def submissions(self) -> SubmissionList:
        """The caller's submissions."""
        return self._get("/v1/submissions", SubmissionList)

    def append_bytes(self, id_: str, offset: int, data: bytes) -> SubmissionView:
        """Send the next bytes of a submission's file."""
        answer = self._send(
            "PATCH", f"/v1/submissions/{id_}", data, headers={"Upload-Offset": str(offset)}
        )
        return self._parse(answer, SubmissionView)

    def orders(self) -> OrderList:
        """Orders that the caller has to answer."""
        return self._get("/v1/orders", OrderList)

    def answer(self, request: str, answer: AnswerPost) -> None:
        """Answer an order with sealed items or a refusal."""
        self._call("POST", f"/v1/orders/{request}/answer", answer)

    def rounds(self) -> RoundList:
        """Open rounds of refinement in which the caller has questions left."""
        return self._get("/v1/rounds", RoundList)

    def questions(self, round_hash: str, batch: int) -> bytes:
        """One batch of a round's questions to the caller."""
        return self._send("GET", f"/v1/rounds/{round_hash}/questions/{batch}")

    def post_answers(self, round_hash: str, batch: int, body: bytes) -> None:
        """Hand in the answers to one batch; the same bytes again are taken again."""
        kind = {"Content-Type": "application/octet-stream"}
        self._send("POST", f"/v1/rounds/{round_hash}/answers/{batch}", body, headers=kind)

    def post_profiles(self, round_hash: str, profiles: ProfilesPost) -> None:
        """Hand in what the caller's submissions say about themselves."""
        self._call("POST", f"/v1/rounds/{round_hash}/profiles", profiles)

    def refuse_round(self, round_hash: str, refusal: RoundRefusal) -> None:
        """Answer nothing of a round, and say why."""
        self._call("POST", f"/v1/rounds/{round_hash}/refusal", refusal)

    def reveals(self) -> RevealList:
        """What runs wait to learn of the caller's synthetic records."""
        return self._get("/v1/reveals", RevealList)

    def reveal(self, run: str, submission: str, key: bytes) -> None:
        """Hand over the key to a submission's synthetic records; may be repeated."""
        self._send("POST", f"/v1/runs/{run}/reveals/{submission}", key)

    @abstractmethod
    def _get(self, path: str, model: type[Model]) -> Model:
        """Ask the hub."""

    @abstractmethod
    def _post(self, path: str, body: BaseModel, model: type[Model]) -> Model:
        """Tell the hub, and read its answer."""

    @abstractmethod
    def _call(self, method: str, path: str, body: BaseModel) -> bytes:
        """Tell the hub."""

    @abstractmethod
    def _send(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> bytes:
        """Send bytes as they are."""

    @staticmethod
    @abstractmethod
    def _parse(answer: bytes, model: type[Model]) -> Model:
        """What an answer says."""
