#!/usr/bin/python3
"""A WebRTC agent for the samples: SIP over WebSocket (RFC 7118), in the clear or over TLS, and the media of aiortc (ICE, DTLS, SRTP).

  webrtc-agent.py [OPTIONS] PROXY USER                    registers, answers one call, and goes when it is over
  webrtc-agent.py [OPTIONS] PROXY USER --call USER [--seconds N]   registers, calls, hangs up
  webrtc-agent.py --tls 1.3 --keys FILE PROXY USER        over TLS, at port 443; its secrets are added to FILE
  webrtc-agent.py --turn TURN --hold SECONDS PROXY USER   only holds one allocation at the TURN server

It sends silence (Opus) and, with --video, a still picture (VP8), in one transport (BUNDLE, RFC 9143). Candidates are gathered before
the description is sent. Its last line tells what became of the call: `ice STATE dtls STATE sent N received N`.
"""
import argparse
import asyncio
import base64
import fractions
import os
import secrets
import ssl
import struct

import aioice
import aiortc
import av
import turn_faults
from aiortc.contrib.media import MediaBlackhole

DOMAIN = "example.net"
FRAMES_A_SECOND = 10
GREETING_S = 10  # longest wait for a SIP answer
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10  # RFC 6455 §11.8


# ---- WebSocket, RFC 6455: a client, text frames, nothing fragmented ----


class WebSocket:
    async def open(self, host, tls=None):
        self.reader, self.writer = await asyncio.open_connection(host, 443 if tls else 80, ssl=tls)
        self.writer.write(
            f"GET / HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Origin: http://phone.{DOMAIN}\r\nSec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: sip\r\n\r\n".encode()
        )
        head = await self.reader.readuntil(b"\r\n\r\n")
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise ConnectionError(head.decode())

    def send(self, text, kind=TEXT):
        data, mask = text.encode(), os.urandom(4)  # §5.3: a client masks
        length = bytes([0x80 | len(data)]) if len(data) < 126 else struct.pack("!BH", 0x80 | 126, len(data))
        masked = bytes(b ^ mask[i % 4] for i, b in enumerate(data))
        self.writer.write(bytes([0x80 | kind]) + length + mask + masked)

    async def receive(self):
        while True:
            head = await self.reader.readexactly(2)
            length = head[1] & 0x7F
            if length >= 126:
                size = 2 if length == 126 else 8
                length = int.from_bytes(await self.reader.readexactly(size), "big")
            data = (await self.reader.readexactly(length)).decode()
            if head[0] & 15 == PING:
                self.send(data, PONG)
            elif head[0] & 15 == CLOSE:
                raise ConnectionError("the proxy closed the connection")
            elif head[0] & 15 == TEXT:
                return data


def tls_context(args):
    """The proxy's certificate is its own, so that it is not looked at."""
    if not args.tls:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = context.maximum_version = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}[args.tls]
    if args.keys:
        context.keylog_filename = args.keys
    return context


# ---- SIP ----


class Message:
    def __init__(self, text):
        head, self.body = text.split("\r\n\r\n", 1) if "\r\n\r\n" in text else (text, "")
        self.first, *lines = head.split("\r\n")
        self.headers = [(name.strip().lower(), value.strip()) for name, value in (line.split(":", 1) for line in lines if ":" in line)]

    def all(self, name):
        return [value for key, value in self.headers if key == name.lower()]

    def get(self, name):
        return (self.all(name) or [""])[0]

    @property
    def status(self):
        return int(self.first.split()[1]) if self.first.startswith("SIP/2.0") else 0


class Phone:
    """One account at one proxy, with at most one call."""

    def __init__(self, user, tls=None):
        self.tls, self.via = tls, "WSS" if tls else "WS"
        self.user, self.host = user, f"{secrets.token_hex(6)}.invalid"  # RFC 7118 §5: the address is not known
        self.contact = f"<sip:{user}@{self.host};transport=ws>"
        self.call_id, self.tag, self.cseq = secrets.token_hex(8), secrets.token_hex(4), 0
        self.remote, self.target, self.routes = "", "", []
        self.socket, self.answers, self.requests = WebSocket(), asyncio.Queue(), asyncio.Queue()

    async def open(self, proxy):
        await self.socket.open(proxy, self.tls)
        self.reading = asyncio.ensure_future(self.read())

    async def read(self):
        while True:
            message = Message(await self.socket.receive())
            await (self.answers if message.status else self.requests).put(message)

    def write(self, first, headers, body=""):
        kind = ["Content-Type: application/sdp"] if body else []
        lines = [first, *headers, *kind, f"Content-Length: {len(body.encode())}", "", body]
        self.socket.send("\r\n".join(lines))

    def request(self, method, uri, remote, body="", extra=()):
        if method != "ACK":
            self.cseq += 1
        self.write(
            f"{method} {uri} SIP/2.0",
            [
                f"Via: SIP/2.0/{self.via} {self.host};branch=z9hG4bK{secrets.token_hex(6)}",
                "Max-Forwards: 70",
                *(f"Route: {route}" for route in self.routes),
                f"From: <sip:{self.user}@{DOMAIN}>;tag={self.tag}",
                f"To: {remote}",
                f"Call-ID: {self.call_id}",
                f"CSeq: {self.cseq} {method}",
                f"Contact: {self.contact}",
                "User-Agent: webrtc-agent (aiortc)",
                *extra,
            ],
            body,
        )

    async def final(self):
        while True:
            answer = await asyncio.wait_for(self.answers.get(), GREETING_S)
            if answer.status >= 300:
                raise ConnectionError(answer.first)
            if answer.status >= 200:
                return answer

    async def register(self):
        self.request("REGISTER", f"sip:{DOMAIN}", f"<sip:{self.user}@{DOMAIN}>", extra=["Expires: 600"])
        await self.final()
        self.call_id = secrets.token_hex(8)

    async def invite(self, user, offer):
        uri = f"sip:{user}@{DOMAIN}"
        self.request("INVITE", uri, f"<{uri}>", offer)
        answer = await self.final()
        self.remote, self.routes = answer.get("To"), answer.all("Record-Route")[::-1]
        self.target = answer.get("Contact").split("<")[-1].split(">")[0]
        self.request("ACK", self.target, self.remote)
        return answer.body

    async def bye(self):
        self.request("BYE", self.target, self.remote)
        await self.final()

    def answer(self, request, first, body=""):
        copied = [f"{name}: {value}" for name in ("Via", "Record-Route") for value in request.all(name)]
        copied += [f"{name}: {request.get(name)}" for name in ("From", "Call-ID", "CSeq")]
        tag = "" if ";tag=" in request.get("To") else f";tag={self.tag}"
        own = [f"To: {request.get('To')}{tag}", f"Contact: {self.contact}", "User-Agent: webrtc-agent (aiortc)"]
        self.write(f"SIP/2.0 {first}", copied + own, body)

    async def next_request(self, method):
        while True:
            request = await self.requests.get()
            if request.first.startswith(method + " "):
                return request


# ---- media ----


class StillPicture(aiortc.VideoStreamTrack):
    """Grey, small and slow: this is about packets, not pictures."""

    def __init__(self):
        super().__init__()
        self.count = 0

    async def recv(self):
        await asyncio.sleep(1 / FRAMES_A_SECOND)
        frame = av.VideoFrame(width=160, height=120)
        for plane in frame.planes:
            plane.update(b"\x80" * plane.buffer_size)
        self.count += 1
        frame.pts, frame.time_base = self.count * 90000 // FRAMES_A_SECOND, fractions.Fraction(1, 90000)
        return frame


class SparseSilence(aiortc.mediastreams.AudioStreamTrack):
    """A packet every so many seconds, with the time between skipped, as in a pause (DTX)."""

    def __init__(self, every):
        super().__init__()
        self.skipped = max(0, int((every - aiortc.mediastreams.AUDIO_PTIME) * 8000))

    async def recv(self):
        if hasattr(self, "_timestamp"):
            self._timestamp += self.skipped
        return await super().recv()


def keep_the_rest_without_a_relay():
    """As browsers do: a relay that is refused costs its candidate, not the call. aioice would give up gathering."""
    whole = aioice.Connection.get_component_candidates

    async def gather(self, component, addresses, timeout=5):
        turn, self.turn_server = self.turn_server, None
        found = await whole(self, component, addresses, timeout)
        self.turn_server = turn
        try:
            return found + (await whole(self, component, [], timeout) if turn else [])
        except aioice.stun.TransactionError as problem:
            print(f"no relay: {problem}", flush=True)
            return found

    aioice.Connection.get_component_candidates = gather


def one_number_for_each_extension():
    """aiortc 1.4 gives two header extensions one number in one transport (against RFC 9143), and then trips over it: MID will do."""
    for kind, extensions in aiortc.codecs.HEADER_EXTENSIONS.items():
        aiortc.codecs.HEADER_EXTENSIONS[kind] = [e for e in extensions if e.uri.endswith(":mid")]


def ice_servers(args):
    if args.stun:
        yield aiortc.RTCIceServer(f"stun:{args.stun}")
    if args.turn:
        uri = f"turn:{args.turn}?transport={args.turn_transport}"
        yield aiortc.RTCIceServer(uri, username=args.turn_user, credential=args.turn_password)


def peer_connection(args):
    peer = aiortc.RTCPeerConnection(aiortc.RTCConfiguration(list(ice_servers(args))))
    peer.addTrack(SparseSilence(args.every))
    if args.video:
        peer.addTrack(StillPicture())
    peer.sink = MediaBlackhole()
    peer.on("track", peer.sink.addTrack)
    return peer


async def described(peer, description):
    await peer.setLocalDescription(description)
    return peer.localDescription.sdp


async def tell(peer):
    stats = (await peer.getStats()).values()
    sent = sum(s.packetsSent for s in stats if s.type == "outbound-rtp")
    received = sum(s.packetsReceived for s in stats if s.type == "inbound-rtp")
    dtls = peer.getTransceivers()[0].sender.transport.state
    print(f"ice {peer.iceConnectionState} dtls {dtls} sent {sent} received {received}", flush=True)


# ---- the call ----


async def call(phone, args):
    peer = peer_connection(args)
    answer = await phone.invite(args.call, await described(peer, await peer.createOffer()))
    await peer.setRemoteDescription(aiortc.RTCSessionDescription(answer, "answer"))
    await peer.sink.start()
    await asyncio.sleep(args.seconds)
    await tell(peer)
    await phone.bye()
    await peer.close()


async def be_called(phone, args):
    request = await phone.next_request("INVITE")
    phone.answer(request, "180 Ringing")
    peer = peer_connection(args)
    await peer.setRemoteDescription(aiortc.RTCSessionDescription(request.body, "offer"))
    phone.answer(request, "200 OK", await described(peer, await peer.createAnswer()))
    await peer.sink.start()
    bye = await phone.next_request("BYE")
    await tell(peer)
    phone.answer(bye, "200 OK")
    await peer.close()


async def hold_relay(args):
    host, port = args.turn.split(":")
    await aioice.turn.create_turn_endpoint(asyncio.DatagramProtocol, (host, int(port)), args.turn_user, args.turn_password)
    print("held", flush=True)
    await asyncio.sleep(args.hold)


async def main(args):
    if args.hold:
        return await hold_relay(args)
    turn_faults.commit(args.turn_fault, args.turn_lifetime, args.turn_fault_after)
    keep_the_rest_without_a_relay()
    one_number_for_each_extension()
    phone = Phone(args.user, tls_context(args))
    await phone.open(args.proxy)
    await phone.register()
    print("registered", flush=True)
    await (call if args.call else be_called)(phone, args)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("proxy", help="host that speaks SIP over WebSocket at port 80, or with --tls at port 443")
    parser.add_argument("user")
    parser.add_argument("--call", metavar="USER")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--video", action="store_true")
    parser.add_argument("--every", type=float, default=aiortc.mediastreams.AUDIO_PTIME, metavar="SECONDS", help="from packet to packet")
    parser.add_argument("--stun", metavar="HOST:PORT")
    parser.add_argument("--turn", metavar="HOST:PORT")
    parser.add_argument("--turn-transport", choices=("udp", "tcp"), default="udp")
    parser.add_argument("--turn-user", default="webrtc")
    parser.add_argument("--turn-password", default="secret")
    parser.add_argument("--tls", choices=["1.2", "1.3"], help="the version of TLS")
    parser.add_argument("--keys", metavar="FILE", help="the key log (SSLKEYLOGFILE)")
    parser.add_argument("--turn-lifetime", type=int, default=600, metavar="SECONDS")
    parser.add_argument("--turn-fault", choices=turn_faults.FAULTS, default="none")
    parser.add_argument("--turn-fault-after", type=float, default=0, metavar="SECONDS")
    parser.add_argument("--hold", type=float, metavar="SECONDS")
    return parser.parse_args()


asyncio.run(main(arguments()))
