"""Memory of a call and of a stream, and how long rtpwatch takes to start. Part of run-bench."""
import os
import statistics
import struct
CALLS = {False: 20000, True: 2000}
NOT_RTP = "udp[8] & 0xc0 != 0x80"  # RFC 7983: SIP, STUN and DNS, not RTP and RTCP
EMPTY = struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
STARTS = 15


def peak_bytes(args, *options):
    return args.measure([args.rtpwatch, *options], (0, 1)).peak_kb * 1024


def of_calls(args, folder):
    """Bytes of a healthy call with eight candidates and two streams, report included, and of one of these streams."""
    calls, empty, capture = CALLS[args.quick], os.path.join(folder, "empty.pcap"), os.path.join(folder, "memory.pcap")
    with open(empty, "wb") as out:
        out.write(EMPTY)
    args.measure([args.gen, *f"--calls {calls} --duration 1 --rate {calls} --ice 1 --bad 0 -o {capture}".split()])
    least, whole, without = peak_bytes(args, empty), peak_bytes(args, capture), peak_bytes(args, "--filter", NOT_RTP, capture)
    os.remove(capture)
    return {"calls": calls, "empty": least, "call": (whole - least) / calls, "stream": (whole - without) / (2 * calls)}


def start_up(args, folder):
    """Seconds by the clock for a capture of one call, the median."""
    capture = os.path.join(folder, "small.pcap")
    args.measure([args.gen, *f"--calls 1 --duration 2 --bad 1 -o {capture}".split()])
    walls = [args.measure([args.rtpwatch, capture], (0, 1)).wall_s for _ in range(STARTS)]
    os.remove(capture)
    return statistics.median(walls)
