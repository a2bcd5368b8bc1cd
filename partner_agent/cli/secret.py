"""``secret create``, ``share`` and ``accept``: the linkage secret."""

import typer

from partner_agent.cli.context import agent_of, session
from partner_agent.linkage_secret import accept_secret, create_secret, share_secret

app = typer.Typer(
    no_args_is_help=True, help="The linkage secret that partners hold and the hub not."
)


@app.command()
def create(context: typer.Context) -> None:
    """Make the linkage secret of the agreement's epoch; one partner does this."""
    screen = session(context)
    with agent_of(context) as agent:
        agreement = agent.standing(agent.ledger.sync()).agreement
        check = create_secret(agent.home, agreement, agent.passphrase)
    screen.result({"key_check_value": check}, lambda out: out.print(f"key check value {check}"))
    screen.hint("partner-agent secret share")


@app.command()
def share(context: typer.Context) -> None:
    """Seal the secret to every other partner, and hand the ciphertexts to the hub."""
    screen = session(context)
    with agent_of(context) as agent:
        agreement = agent.standing(agent.ledger.sync()).agreement
        post = share_secret(agent.home, agreement, agent.secrets, agent.ledger, agent.passphrase)
        agent.hub.post_secrets(post)
    screen.result(
        {"shared_with": len(post.secrets)},
        lambda out: out.print(f"sealed to {len(post.secrets)} partners"),
    )
    screen.hint("each of them runs: partner-agent secret accept")


@app.command()
def accept(context: typer.Context) -> None:
    """Open the secret that was sealed to this partner; compare the check value by phone."""
    screen = session(context)
    with agent_of(context) as agent:
        state = agent.ledger.sync()
        agreement = agent.standing(state).agreement
        check = accept_secret(
            agent.home, agreement, agent.secrets, state, agent.hub, agent.passphrase
        )
    screen.result({"key_check_value": check}, lambda out: out.print(f"key check value {check}"))
    screen.hint("partner-agent profile FILE")
