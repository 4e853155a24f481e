"""What a TURN client may do wrong, or late, or lawfully and seldom: for webrtc-agent.py, on top of aioice's TURN client (RFC 8656).

commit(FAULT, LIFETIME, AFTER) makes every relay that aioice asks for be asked for LIFETIME seconds. Faults that have a moment happen AFTER
seconds later.
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


# ---- in the midst of a call ----


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


# ---- from the beginning ----


def permit_once(client):
    """Send indications in place of channels, under a permission that is never renewed (§9: it lasts 300 s)."""
    permissions, channels_received = {}, client.datagram_received
    data_attribute = (0x0013, "DATA", stun.pack_bytes, stun.unpack_bytes)  # aioice knows channels only
    stun.ATTRIBUTES_BY_NAME["DATA"] = stun.ATTRIBUTES_BY_TYPE[0x0013] = data_attribute

    async def send_data(data, addr):
        if addr not in permissions:
            permissions[addr] = asyncio.ensure_future(ask(client, message(stun.Method.CREATE_PERMISSION, XOR_PEER_ADDRESS=addr)))
        await permissions[addr]
        client.send_stun(message(stun.Method.SEND, stun.Class.INDICATION, XOR_PEER_ADDRESS=addr, DATA=data), client.server)

    def datagram_received(data, addr):
        if turn.is_channel_data(data) or data[:2] != b"\x00\x17":  # Data indication
            return channels_received(data, addr)
        indication = stun.parse_message(data)
        client.receiver.datagram_received(indication.attributes["DATA"], indication.attributes["XOR-PEER-ADDRESS"])

    client.send_data, client.datagram_received = send_data, datagram_received


LATER = {
    "forget": forget,
    "give-back": give_back,
    "change-user": change_user,
    "allocate-again": allocate_again,
}
FAULTS = ["none", "permit-once", *LATER]


def commit(fault, lifetime, after):
    whole = turn.create_turn_endpoint

    async def later(client):
        await asyncio.sleep(after)
        await LATER[fault](client)

    async def create(*args, **kwargs):
        transport, protocol = await whole(*args, lifetime=lifetime, **kwargs)
        client = transport._TurnTransport__inner_protocol
        if fault == "permit-once":
            permit_once(client)
        elif fault in LATER:
            create.task = asyncio.ensure_future(later(client))
        return transport, protocol

    turn.create_turn_endpoint = create
