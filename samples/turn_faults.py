"""What a TURN client may do wrong, or late, or lawfully and seldom: for webrtc-agent.py, on top of aioice's TURN client (RFC 8656).

commit(FAULT, LIFETIME, AFTER) makes every relay that aioice asks for be asked for LIFETIME seconds, and the fault happen AFTER seconds
later.
"""
import asyncio

from aioice import stun, turn


def message(method, kind=stun.Class.REQUEST, **attributes):
    made = stun.Message(message_method=method, message_class=kind)
    made.attributes.update({name.replace("_", "-"): value for name, value in attributes.items()})
    return made


async def ask(client, request):
    """Tells what the server said, and goes on whatever that was."""
    try:
        await client.request_with_retry(request)
        print(f"{request.message_method.name} granted", flush=True)
    except stun.TransactionError as problem:
        print(f"{request.message_method.name} refused: {problem}", flush=True)


async def forget(client):
    """It never refreshes its allocation, and goes on sending when that has expired."""
    client.refresh_handle.cancel()


async def give_back(client):
    """It gives the allocation back (§7.1: Refresh with lifetime 0) and goes on sending."""
    client.refresh_handle.cancel()
    await ask(client, message(stun.Method.REFRESH, LIFETIME=0))


async def ask_as_another(client, request):
    """With another account than the one that the allocation was made with (§5: 441)."""
    client.username, client.password = "another", "secret"
    client.integrity_key = turn.make_integrity_key(client.username, client.realm, client.password)
    await ask(client, request)


async def change_user(client):
    """It refreshes the allocation as another."""
    client.refresh_handle.cancel()
    await ask_as_another(client, message(stun.Method.REFRESH, LIFETIME=client.lifetime))


async def allocate_again(client):
    """It asks for a second allocation on the 5-tuple of the first (§7.2: 437), and keeps the first."""
    await ask(client, message(stun.Method.ALLOCATE, LIFETIME=client.lifetime, REQUESTED_TRANSPORT=turn.UDP_TRANSPORT))


FAULTS = {
    "none": None,
    "forget": forget,
    "give-back": give_back,
    "change-user": change_user,
    "allocate-again": allocate_again,
}


def commit(fault, lifetime, after):
    whole = turn.create_turn_endpoint

    async def later(client):
        await asyncio.sleep(after)
        await FAULTS[fault](client)

    async def create(*args, **kwargs):
        transport, protocol = await whole(*args, lifetime=lifetime, **kwargs)
        if FAULTS[fault]:
            create.task = asyncio.ensure_future(later(transport._TurnTransport__inner_protocol))
        return transport, protocol

    turn.create_turn_endpoint = create
