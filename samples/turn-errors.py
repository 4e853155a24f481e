#!/usr/bin/python3
"""A TURN client that asks for what a server refuses, one request after the other, and says what the answers were: turn-errors.py HOST:PORT

The server is coturn with the accounts webrtc and another, a quota of one relay, 192.0.2.99 forbidden as a peer, and no relaying over TCP.
"""
import asyncio
import sys

import turn_faults
from aioice import stun, turn
from turn_faults import message

TCP = 0x06000000
IPV6 = 0x02000000
stun.ATTRIBUTES_BY_NAME["REQUESTED-ADDRESS-FAMILY"] = (0x0017, "REQUESTED-ADDRESS-FAMILY", stun.pack_unsigned, stun.unpack_unsigned)
stun.ATTRIBUTES_BY_NAME["FROM-THE-FUTURE"] = (0x7FFF, "FROM-THE-FUTURE", stun.pack_unsigned, stun.unpack_unsigned)


async def client_of(server, user="webrtc", password="secret"):
    loop = asyncio.get_event_loop()
    _, client = await loop.create_datagram_endpoint(
        lambda: turn.TurnClientUdpProtocol(server, user, password, lifetime=600, channel_refresh_time=500), remote_addr=server
    )
    return client


def allocate(**more):
    return message(stun.Method.ALLOCATE, LIFETIME=600, **more)


def permission(peer):
    return message(stun.Method.CREATE_PERMISSION, XOR_PEER_ADDRESS=(peer, 4000))


async def main():
    host, port = sys.argv[1].split(":")
    server = (host, int(port))
    client, second = await client_of(server), await client_of(server)

    await turn_faults.ask(await client_of(server, password="expired"), allocate(REQUESTED_TRANSPORT=turn.UDP_TRANSPORT))  # 401, twice
    await turn_faults.ask(client, message(stun.Method.REFRESH, LIFETIME=600))  # no allocation: 437
    await turn_faults.ask(client, allocate())  # 400
    await turn_faults.ask(client, allocate(REQUESTED_TRANSPORT=turn.UDP_TRANSPORT, FROM_THE_FUTURE=1))  # 420
    await turn_faults.ask(client, allocate(REQUESTED_TRANSPORT=TCP))  # 442
    await turn_faults.ask(client, allocate(REQUESTED_TRANSPORT=turn.UDP_TRANSPORT, REQUESTED_ADDRESS_FAMILY=IPV6))  # 440
    await turn_faults.ask(client, allocate(REQUESTED_TRANSPORT=turn.UDP_TRANSPORT))
    await turn_faults.ask(client, allocate(REQUESTED_TRANSPORT=turn.UDP_TRANSPORT))  # again: 437
    await turn_faults.ask(second, allocate(REQUESTED_TRANSPORT=turn.UDP_TRANSPORT))  # quota: 486
    await turn_faults.ask(client, permission("192.0.2.99"))  # 403
    await turn_faults.ask(client, permission("2001:db8::1"))  # the other family: 443
    client.nonce = b"0123456789abcdef"  # 438, and the new one is used
    await turn_faults.ask(client, permission("198.51.100.20"))
    await turn_faults.ask_as_another(client, message(stun.Method.REFRESH, LIFETIME=600))  # 441


asyncio.run(main())
