"""What a capture holds, in one form for all who say so: tshark's stored answers, a live tshark, and rtpwatch.

Every fact is a tuple of words under a kind, and is counted: two tools agree where all their counts do.
"""
import collections
import ipaddress
import json
import os
import re
import subprocess
import xml.etree.ElementTree as ElementTree

KINDS = ("sip", "call_id", "sdp_media", "candidate", "stun", "stun_address", "mapped", "rtp_stream", "rtp_extra", "dns", "icmp")
STUN_METHODS = {1: "binding", 2: "sharedsecret", 3: "allocate", 4: "refresh", 6: "send", 7: "data", 8: "createpermission",
                9: "channelbind", 10: "connect", 11: "connectionbind", 12: "connectionattempt"}
STUN_CLASSES = ("request", "indication", "success", "error")
TIME_LIMIT_S = 300


def address(text):
    """'ip:port' in one spelling; None where there is no IP literal, or the unspecified one (on hold, as RFC 3264 §8.4 knows it)."""
    host, _, port = (text or "").rpartition(":")
    try:
        ip = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None
    if ip.is_unspecified:
        return None
    return f"[{ip}]:{port}" if ip.version == 6 else f"{ip}:{port}"


def join(ip, port):
    return address(f"{ip}:{port}") if ip is not None and port is not None else None


def plain(text):
    """Bytes that tools show in their own ways (as escapes, as U+FFFD, or not at all) become one '?'."""
    return re.sub(r"(\\x[0-9a-f]{2}|[^ -~]|\?)+", "?", text)


def dns_name(name, kind):
    """Of an SRV record's name what stands behind _service._proto, which tshark shows as fields of their own (RFC 2782)."""
    name = name.lower().rstrip(".")
    return re.sub(r"^(?:.*\.)?_[^.]*\.", "", name) if kind == "SRV" else name


class Facts:
    """
    Counts of facts by kind. `rtp_known` are all streams that are RTP for sure or by guess; `relayed` the frames with STUN in TURN
    messages, and `rtp_relayed` the streams there.
    """

    def __init__(self):
        self.counts = {kind: collections.Counter() for kind in KINDS}
        self.rtp_known = set()
        self.relayed = set()
        self.rtp_relayed = set()

    def add(self, kind, *words, count=1):
        self.counts[kind][tuple("-" if w is None else str(w) for w in words)] += count

    def sip(self, frame, src, dst, method, status, cseq_method, call_id):
        self.add("sip", frame, address(src), address(dst), method or f"{status} {cseq_method}")
        if call_id is not None:
            self.counts["call_id"][(plain(call_id),)] = 1

    def media(self, frame, kind, where, proto):
        self.add("sdp_media", frame, kind, address(where), proto)

    def candidate(self, frame, kind, where, protocol, component):
        self.add("candidate", frame, kind, address(where), protocol.lower(), component)

    def stun(self, frame, src, dst, cls, method, tid, error, relayed=False):
        """Of an RFC 3489 transaction id only the last 96 bits, since tools differ on whether the first 32 belong to it."""
        method = method.lower().replace(" ", "")
        self.add("stun", frame, cls, method if method in STUN_METHODS.values() else "unknown", tid[-24:], error or 0)
        if relayed:
            self.relayed.add(str(frame))
        else:
            self.add("stun_address", frame, address(src), address(dst))

    def mapped(self, frame, where):
        self.add("mapped", frame, address(where))

    def dns(self, name, kind, data):
        self.counts["dns"][(dns_name(name, kind), kind, data.lower().rstrip("."))] = 1

    def icmp(self, frame, quoted_dst):
        self.add("icmp", frame, address(quoted_dst))

    def stream(self, src, dst, ssrc, packets):
        self.add("rtp_stream", address(src), address(dst), ssrc.lower(), count=packets)


# ---- rtpwatch --dump-facts: a JSON object a line ----


def from_rtpwatch(lines):
    facts = Facts()
    for line in lines:
        f = json.loads(line)
        kind = f["fact"]
        if kind == "sip":
            facts.sip(f["frame"], f["src"], f["dst"], f["method"], f["status"], f["cseq_method"], f["call_id"])
        elif kind == "sdp_media":
            facts.media(f["frame"], f["kind"], f["address"], f["proto"])
        elif kind == "candidate":
            facts.candidate(f["frame"], f["type"], f["address"], f["protocol"], f["component"])
        elif kind == "stun":
            facts.stun(f["frame"], f["src"], f["dst"], f["class"], f["method"], f["tid"], f["error"], f["relayed"])
            if f["class"] == "success" and (f["xor_mapped"] or f["mapped"]):
                facts.mapped(f["frame"], f["xor_mapped"] or f["mapped"])
        elif kind == "rtp_stream":
            facts.stream(f["src"], f["dst"], f["ssrc"], f["packets"])
            if f["relayed"]:
                facts.rtp_relayed.add((address(f["src"]), address(f["dst"]), f["ssrc"]))
        elif kind == "dns":
            facts.dns(f["name"], f["type"], f["data"])
        elif kind == "icmp" and f["quoted_dst"]:
            facts.icmp(f["frame"], f["quoted_dst"])
    return facts


# ---- tshark's stored answers ----


def from_oracle(path):
    with open(path, encoding="utf-8") as file:
        oracle = json.load(file)
    facts = Facts()
    for s in oracle["detail"]["sip"]:
        facts.sip(s["frame"], s["src"], s["dst"], s["method"], s["status"], s["cseq_method"], s["call_id"])
    for s in oracle["detail"]["sdp"]:
        for m in s["media"]:
            facts.media(s["frame"], m["media"], join(m["ip"], m["port"]), m["proto"])
        for c in s["candidates"]:
            if "raw" not in c:
                facts.candidate(s["frame"], c["typ"], join(c["ip"], c["port"]), c["transport"], c["component"])
    for s in oracle["detail"]["stun"]:
        facts.stun(s["frame"], s["src"], s["dst"], s["cls"], s["method"], s["txid"], s.get("error"), s["relayed"])
    for m in oracle["stun_mapped"]:
        facts.mapped(m["frame"], m["mapped"])
    for d in oracle["dns_answers"]:
        facts.dns(d["name"], d["type"], d["data"])
    for i in oracle["icmp_unreachable"]:
        if i["transport"] == "udp" and i["orig_dst"]:
            facts.icmp(i["frame"], i["orig_dst"])
    for r in oracle["rtp_streams"]["sdp_matched"]:
        facts.stream(r["src"], r["dst"], r["ssrc"], r["packets"])
    facts.rtp_known = {(address(r["src"]), address(r["dst"]), r["ssrc"]) for r in oracle["rtp_streams"]["heur"]}
    return facts


def key_log(path):
    """The TLS key log of a capture: the file of its name in .keys, beside it."""
    keys = os.path.splitext(path)[0] + ".keys"
    return keys if os.path.exists(keys) else None


# ---- a live tshark: its PDML, and its table of RTP streams ----


def tshark(path, *options):
    keys = ["-o", f"tls.keylog_file:{key_log(path)}"] if key_log(path) else []
    command = ["tshark", "-n", "--enable-heuristic", "rtp_udp", *keys, "-r", path, *options]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=TIME_LIMIT_S, check=False).stdout


def shown(element, name):
    """The first field of that name anywhere below."""
    return next((f.get("show") for f in element.iter("field") if f.get("name") == name), None)


def integer(text):
    return int(text, 0) if text else None


def layers(packet):
    """(protocol, source, destination, whether inside another message), in order; nothing that an ICMP error quotes."""
    ips = ports = (None, None)
    for proto in packet.findall("proto"):
        name = proto.get("name")
        if name in ("ip", "ipv6"):
            ips = shown(proto, name + ".src"), shown(proto, name + ".dst")
        elif name in ("udp", "tcp"):
            ports = shown(proto, name + ".srcport"), shown(proto, name + ".dstport")
        ends = join(ips[0], ports[0]), join(ips[1], ports[1])
        yield proto, *ends, False
        if name in ("icmp", "icmpv6"):
            return
        for inner in proto.iter("proto"):
            if inner is not proto:
                yield inner, *ends, True


def pdml_sip(facts, frame, proto, src, dst):
    method, status = shown(proto, "sip.Method"), integer(shown(proto, "sip.Status-Code"))
    if shown(proto, "sip.Request-Line") is None:
        method = None
    if method or status:
        facts.sip(frame, src, dst, method, status, shown(proto, "sip.CSeq.method"), shown(proto, "sip.Call-ID"))


def pdml_candidate(facts, frame, text):
    """candidate:FOUNDATION COMPONENT TRANSPORT PRIORITY HOST PORT typ TYPE ..."""
    words = text.removeprefix("candidate:").split()
    if len(words) >= 8:
        facts.candidate(frame, words[7], join(words[4], words[5]), words[2], words[1])


def pdml_sdp(facts, frame, proto):
    session_ip, media = None, []
    for field in proto.iter("field"):
        name, value = field.get("name"), field.get("show") or ""
        if name == "sdp.connection_info.address":
            if media:
                media[-1]["ip"] = value
            else:
                session_ip = value
        elif name == "sdp.media":
            media.append({"ip": session_ip, "media": None, "port": None, "proto": None})
        elif name in ("sdp.media.media", "sdp.media.port", "sdp.media.proto") and media:
            key = name.rpartition(".")[2]
            media[-1][key] = media[-1][key] or value
        elif name == "sdp.media_attr" and value.strip().startswith("candidate:"):
            pdml_candidate(facts, frame, value.strip())
    for m in media:
        facts.media(frame, m["media"], join(m["ip"], m["port"]), m["proto"])


def pdml_mapped(proto, name):
    """The first XOR-MAPPED-ADDRESS (or its code from before RFC 5389), else MAPPED-ADDRESS."""
    found = {}
    for attribute in proto.iter("field"):
        kind = attribute.find(f"field[@name='{name}.att.type']")
        ip = shown(attribute, name + ".att.ipv4") or shown(attribute, name + ".att.ipv6")
        if kind is not None and ip:
            found.setdefault(integer(kind.get("show")), join(ip, shown(attribute, name + ".att.port")))
    return found.get(0x0020) or found.get(0x8020) or found.get(0x0001)


def pdml_stun(facts, frame, proto, src, dst, relayed):
    name = proto.get("name")
    kind = integer(shown(proto, name + ".type"))
    if kind is None:  # ChannelData
        return
    cls = STUN_CLASSES[(kind >> 7 & 2) | (kind >> 4 & 1)]
    method = STUN_METHODS.get(kind & 0xF | kind >> 1 & 0x70 | kind >> 2 & 0xF80, "unknown")
    tid = (shown(proto, name + ".id") or "").replace(":", "")
    error = 100 * (integer(shown(proto, name + ".att.error.class")) or 0) + (integer(shown(proto, name + ".att.error")) or 0)
    facts.stun(frame, src, dst, cls, method, tid, error, relayed)
    mapped = pdml_mapped(proto, name) if cls == "success" else None
    if mapped:
        facts.mapped(frame, mapped)


def pdml_dns(facts, proto):
    name = None
    for field in proto.iter("field"):
        kind, value = field.get("name"), field.get("show")
        if kind in ("dns.resp.name", "dns.srv.name"):
            name = name if kind == "dns.srv.name" and name else value
        elif kind in ("dns.a", "dns.aaaa", "dns.cname", "dns.srv.target") and name:
            facts.dns(name, kind.split(".")[1].upper(), value)


def pdml_icmp(facts, frame, proto):
    name = proto.get("name")
    kind, host = integer(shown(proto, name + ".type")), shown(proto, "ip.dst") or shown(proto, "ipv6.dst")
    if (name, kind) in (("icmp", 3), ("icmp", 11), ("icmpv6", 1)) and shown(proto, "udp.dstport"):
        facts.icmp(frame, join(host, shown(proto, "udp.dstport")))


def pdml_packet(facts, packet):
    frame = shown(packet, "frame.number")
    for proto, src, dst, inside in layers(packet):
        name = proto.get("name")
        if name == "sip":
            pdml_sip(facts, frame, proto, src, dst)
        elif name == "sdp":
            pdml_sdp(facts, frame, proto)
        elif name in ("stun", "classicstun"):
            pdml_stun(facts, frame, proto, src, dst, inside)
        elif name in ("dns", "mdns"):
            pdml_dns(facts, proto)
        elif name in ("icmp", "icmpv6"):
            pdml_icmp(facts, frame, proto)


STREAM = re.compile(r"\s*[\d.-]+\s+[\d.-]+\s+(\S+)\s+(\d+)\s+(\S+)\s+(\d+)\s+0x([0-9A-Fa-f]+)\s+.*?\s+(\d+)\s+-?\d+\s+\(")


def rtp_streams(facts, path):
    """tshark guesses RTP; only what goes to or comes from an advertised address must be agreed on."""
    advertised = {words[2] for kind in ("sdp_media", "candidate") for words in facts.counts[kind]}
    for line in tshark(path, "-q", "-z", "rtp,streams").decode("utf-8", "replace").splitlines():
        match = STREAM.match(line)
        if match:
            src, dst, ssrc = join(match[1], match[2]), join(match[3], match[4]), "0x" + match[5].lower().rjust(8, "0")
            facts.rtp_known.add((src, dst, ssrc))
            if src in advertised or dst in advertised:
                facts.stream(src, dst, ssrc, int(match[6]))


def from_capture(path):
    facts = Facts()
    wanted = "sip || sdp || stun || classicstun || dns || mdns || icmp || icmpv6"
    text = re.sub(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]", b"?", tshark(path, "-T", "pdml", "-Y", wanted))  # no XML characters
    for packet in ElementTree.fromstring(text):
        pdml_packet(facts, packet)
    rtp_streams(facts, path)
    return facts
