"""A real rsyslogd on loopback in a folder of its own, certificates for it, and a sender to talk to it."""
import json
import pathlib
import select
import shutil
import socket
import subprocess
import sys
import time

PLUGINS = ["/usr/lib", "/lib", "/usr/lib64"]


def find_rsyslogd():
    return shutil.which("rsyslogd") or shutil.which("rsyslogd", path="/usr/sbin:/sbin:/usr/local/sbin")


def has_plugin(name):
    return any(next(pathlib.Path(top).glob(f"**/rsyslog/{name}.so"), None) for top in PLUGINS if pathlib.Path(top).is_dir())


def free_port(kind):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


# ---- certificates, by the openssl command ----

def openssl(folder, *words):
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True, timeout=60)


def make_authority(folder, name):
    openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", "2",
            "-subj", f"/CN={name}")


def make_certificate(folder, name, authority, names, days=2):
    (folder / f"{name}.ext").write_text(f"subjectAltName={names}\n")
    openssl(folder, "req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
    openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{authority}.pem", "-CAkey", f"{authority}.key", "-CAcreateserial",
            "-out", f"{name}.pem", "-days", str(days), "-extfile", f"{name}.ext")


def make_certificates(folder):
    for authority in ("ca", "stranger", "selfsigned"):
        make_authority(folder, authority)
    make_certificate(folder, "server", "ca", "DNS:localhost,IP:127.0.0.1")
    make_certificate(folder, "elsewhere", "ca", "DNS:elsewhere.example,IP:192.0.2.1")
    make_certificate(folder, "expired", "ca", "DNS:localhost,IP:127.0.0.1", days=-1)
    make_certificate(folder, "client", "ca", "DNS:client.example")


# ---- the server ----

class Server:
    """Its inputs: udp, tcp, tls, tls with another host's certificate (elsewhere), tls that asks for a client's (mutual), local; and those
    whose certificates are expired or selfsigned."""

    def __init__(self, folder, tls, within=()):
        """`within`: the words before a command that is to run in another network namespace."""
        self.folder, self.tls, self.process, self.within = folder, tls, None, list(within)
        self.out, self.socket = folder / "out.json", folder / "log"
        self.port = {"udp": free_port(socket.SOCK_DGRAM)}
        for name in ("tcp", "tls", "elsewhere", "expired", "selfsigned", "mutual"):
            self.port[name] = free_port(socket.SOCK_STREAM)
        (folder / "rsyslog.conf").write_text(self.configuration())

    def tls_input(self, name, certificate, auth):
        at = self.folder
        return (f'input(type="imtcp" address="127.0.0.1" port="{self.port[name]}" streamDriver.name="ossl" streamDriver.mode="1" '
                f'streamDriver.authMode="{auth}" streamDriver.CAFile="{at}/ca.pem" streamDriver.CertFile="{at}/{certificate}.pem" '
                f'streamDriver.KeyFile="{at}/{certificate}.key")')

    def configuration(self):
        at = self.folder
        lines = [f'global(workDirectory="{at}" net.enableDNS="off")', 'module(load="imudp")', 'module(load="imtcp")',
                 'module(load="imuxsock" SysSock.Use="off")', 'module(load="mmpstrucdata")',
                 'template(name="json" type="list") { property(name="jsonmesg") constant(value="\\n") }',
                 f'input(type="imudp" address="127.0.0.1" port="{self.port["udp"]}")',
                 f'input(type="imtcp" address="127.0.0.1" port="{self.port["tcp"]}")',
                 f'input(type="imuxsock" socket="{self.socket}" rateLimit.interval="0")']
        if self.tls:
            lines += [self.tls_input("tls", "server", "anon")]
            lines += [self.tls_input(name, name, "anon") for name in ("elsewhere", "expired", "selfsigned")]
            lines += [self.tls_input("mutual", "server", "x509/certvalid")]
        lines += ['action(type="mmpstrucdata" sd_name.lowercase="off")', f'action(type="omfile" file="{self.out}" template="json")']
        return "\n".join(lines) + "\n"

    def start(self):
        with open(self.folder / "rsyslogd.log", "ab") as log:
            command = [*self.within, find_rsyslogd(), "-n", "-f", self.folder / "rsyslog.conf", "-i", self.folder / "pid"]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(self.listens, 30, lambda: "rsyslogd does not start:\n" + (self.folder / "rsyslogd.log").read_text())

    def listens(self):
        connect = f'import socket; socket.create_connection(("127.0.0.1", {self.port["mutual" if self.tls else "tcp"]}), 1)'
        done = subprocess.run([*self.within, sys.executable, "-c", connect], capture_output=True, timeout=20, check=False)
        return done.returncode == 0 and self.socket.exists()

    def stop(self):
        if not self.process:
            return
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(30)
        self.process = None

    def arrived(self, prefix):
        """Messages whose text begins so, as rsyslog's parser has read them."""
        if not self.out.exists():
            return []
        lines = self.out.read_text(encoding="utf-8").splitlines()
        found = [json.loads(line) for line in lines if line.endswith("}")]
        return [m for m in found if m["msg"].strip(" \ufeff").startswith(prefix)]

    def target(self, name):
        if name == "local":
            return f"local:{self.socket}"
        return f"{name if name in ('udp', 'tcp') else 'tls'}://127.0.0.1:{self.port[name]}"


# ---- the sender ----

class Sender:
    def __init__(self, program, target, *options):
        self.process = subprocess.Popen([program, target, "--host", "dialer1", *map(str, options)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def tell(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def message(self, text, values=(), kind="alert"):
        words = [kind, text.hex()] + [f"{name}={value.hex()}" for name, value in values]
        self.tell("message " + " ".join(words))

    def ask(self, what="stats"):
        self.tell(what)
        if not select.select([self.process.stdout], [], [], 30)[0]:
            raise AssertionError(f"no answer to {what} within 30 s")
        return json.loads(self.process.stdout.readline())

    def close(self):
        """(what it says at the end, its errors)"""
        out, err = self.process.communicate(timeout=60)
        if self.process.returncode != 0:
            raise AssertionError(f"send ended with {self.process.returncode}: {err.decode(errors='replace')}")
        return json.loads(out.splitlines()[-1]), err.decode(errors="replace")


def wait_until(true, seconds, why):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if true():
            return
        time.sleep(0.05)
    raise AssertionError(why() if callable(why) else why)
