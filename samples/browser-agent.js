/*
 * A webphone for the samples, run by a browser: JsSIP over secure WebSocket, and the browser's own media. The page's address says what
 * it does:
 *
 *   browser-agent.html?user=agent1                          registers, answers calls
 *   browser-agent.html?user=dialer1&call=agent1&seconds=8   registers, calls, hangs up
 *
 *   stun=URI turn=URI  again for more than one; the account is webrtc, its password secret
 *   video              a picture as well, of the browser's fake camera
 *   tone               a tone in place of the microphone: a page that may not use one has mDNS names for host candidates
 *   gather=SECONDS     how long candidates are waited for; the description is sent with those that there are
 *   hold=SECONDS       after so long the call is held, for two seconds
 *   restart=SECONDS    after so long a re-INVITE restarts ICE
 *   again              a first connection to the proxy, without SIP, so that the second resumes its TLS session
 *
 * What happens is said in the console, at last what became of the call: `ice STATE dtls STATE sent N received N`.
 */
const DOMAIN = "example.net";
const PROXY = "wss://sip.example.net";
const options = new URLSearchParams(location.search);
const option = (name, otherwise) => options.get(name) ?? otherwise;
const say = (...words) => console.log(...words);
const after = (seconds, act) => setTimeout(act, Number(seconds) * 1000);

const pcConfig = {
    iceServers: [
        ...options.getAll("stun").map(urls => ({ urls })),
        ...options.getAll("turn").map(urls => ({ urls, username: "webrtc", credential: "secret" })),
    ],
};

/* A quiet tone: a stream that no microphone is needed for. */
function tone() {
    const audio = new AudioContext();
    const source = new OscillatorNode(audio, { frequency: 440 });
    const sink = new MediaStreamAudioDestinationNode(audio);
    source.connect(sink);
    source.start();
    return sink.stream;
}

const picture = { width: 160, height: 120, frameRate: 5 };
const media = () =>
    options.has("tone") ? tone() : navigator.mediaDevices.getUserMedia({ audio: true, video: options.has("video") && picture });

async function tell(peer) {
    const stats = [...(await peer.getStats()).values()];
    const sum = (type, field) => stats.filter(s => s.type === type).reduce((n, s) => n + s[field], 0);
    const dtls = peer.getSenders()[0]?.transport?.state;
    const sent = sum("outbound-rtp", "packetsSent");
    for (const pair of stats.filter(s => s.type === "candidate-pair" && s.nominated)) {
        const ends = [pair.localCandidateId, pair.remoteCandidateId].map(id => stats.find(s => s.id === id));
        say("pair", ...ends.map(c => `${c.candidateType} ${c.relayProtocol ?? ""} ${c.address}:${c.port}`));
    }
    say(`ice ${peer.iceConnectionState} dtls ${dtls} sent ${sent} received ${sum("inbound-rtp", "packetsReceived")}`);
}

/* JsSIP sends a description when all candidates are there, or when its application says so. */
function gather_no_longer_than(seconds, session) {
    let waiting;
    session.on("icecandidate", ({ candidate, ready }) => {
        say("candidate", candidate.candidate);
        waiting ??= seconds && after(seconds, ready);
    });
}

function watch_peer(peer) {
    peer.oniceconnectionstatechange = () => say("state", peer.iceConnectionState);
    peer.ontrack = ({ streams }) => {
        const player = document.body.appendChild(document.createElement(options.has("video") ? "video" : "audio"));
        player.srcObject = streams[0];
        player.play();
    };
}

function change_in_mid_call(session) {
    if (options.has("hold"))
        after(options.get("hold"), () => session.hold({}, () => after(2, () => session.unhold())));
    if (options.has("restart"))
        after(options.get("restart"), () => session.renegotiate({ rtcOfferConstraints: { iceRestart: true } }));
}

async function hang_up(session) {
    await tell(session.connection);
    session.terminate();
}

function follow(session) {
    gather_no_longer_than(Number(option("gather", 0)), session);
    session.on("peerconnection", ({ peerconnection }) => watch_peer(peerconnection));
    session.on("confirmed", () => {
        say("confirmed");
        change_in_mid_call(session);
        after(option("seconds", 5), () => (options.has("call") ? hang_up(session) : tell(session.connection)));
    });
    session.on("failed", ({ cause }) => say("failed", cause));
    session.on("ended", ({ cause }) => say("ended", cause));
}

/* A connection that only leaves a TLS session ticket (RFC 8446 §2.2). */
function connect_and_leave() {
    return new Promise(done => {
        const socket = new WebSocket(PROXY, "sip");
        socket.onopen = () => after(0.3, () => socket.close());
        socket.onclose = () => after(0.3, done);
    });
}

async function start() {
    if (options.has("again"))
        await connect_and_leave();
    const mediaStream = await media();
    const socket = new JsSIP.WebSocketInterface(PROXY);
    const ua = new JsSIP.UA({ sockets: [socket], uri: `sip:${option("user")}@${DOMAIN}`, password: "none", register_expires: 600 });

    ua.on("newRTCSession", ({ originator, session }) => {
        follow(session);
        if (originator === "remote")
            session.answer({ mediaStream, pcConfig });
    });
    ua.on("registered", () => {
        say("registered");
        if (options.has("call") && !options.has("called")) {
            options.set("called", "");
            ua.call(`sip:${options.get("call")}@${DOMAIN}`, { mediaStream, pcConfig });
        }
    });
    ua.start();
}

start().catch(problem => say("failed", problem));
