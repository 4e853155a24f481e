"""Calls of a sample, sent again over an interface under other addresses, Call-IDs and STUN transaction ids.

A lane is a dialer of its own, with its own inside and outside address. Lanes go up to 89: the length of no address may change.
"""
import struct
import subprocess

COOKIE = b"\x21\x12\xa4\x42"
INSIDE, OUTSIDE = (10, 20, 0, 10), (203, 0, 113, 10)


def ip(*args):
    subprocess.run(["ip", *args], check=True)


def records(path):
    """(time, frame, length on the wire) of each packet of a pcap file."""
    data = path.read_bytes()
    magic, order = data[:4], "<"
    scale = 1e-9 if magic == b"\x4d\x3c\xb2\xa1" else 1e-6
    at = 24
    while at + 16 <= len(data):
        sec, frac, n, wire = struct.unpack_from(order + "IIII", data, at)
        yield sec + frac * scale, data[at + 16:at + 16 + n], wire
        at += 16 + n


def moved(address, lane):
    return address[:3] + (address[3] + lane,)


def text(address):
    return ".".join(map(str, address)).encode()


def xored(address):
    return bytes(a ^ b for a, b in zip(address, COOKIE))


def of_lane(frame, lane):
    for address in (INSIDE, OUTSIDE):
        other = moved(address, lane)
        for form in (text, bytes, xored):
            frame = frame.replace(form(address), form(other))
    return frame


def call_ids(frames):
    found = set()
    for _, frame, _ in frames:
        for line in frame.split(b"\r\n"):
            if line.lower().startswith(b"call-id:"):
                found.add(line[8:].strip().split(b"@")[0])
    return found


def is_stun(frame):
    payload = frame[42:]
    return frame[23:24] == b"\x11" and len(payload) >= 20 and payload[0] < 2 and struct.unpack(">H", payload[2:4])[0] + 20 == len(payload)


def of_round(frame, lane, number, names):
    if is_stun(frame):
        tid = struct.unpack_from(">I", frame, 58)[0] ^ (lane << 24 | number)
        return frame[:58] + struct.pack(">I", tid) + frame[62:]
    if b"SIP/2.0" in frame:
        mark = b"%x%03x" % (lane & 15, number & 0xfff)
        for name in names:
            frame = frame.replace(name, mark + name[4:])
    return frame
