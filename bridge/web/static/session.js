// The bridge's session over a WebSocket: lists [address, values…], as in the OSC table. Comes back by itself.
const PROTOCOL = 2, PING_MS = 4000, SILENCE_MS = 9000;

export class Session {
  constructor(hear, onState) {
    this.hear = hear; this.onState = onState; this.socket = null; this.there = false; this.heardMs = 0; this.pause = 250;
  }

  begin() { setInterval(() => this.watch(), PING_MS); this.open(); }

  open() {
    const socket = this.socket = new WebSocket(`ws://${location.host}/session`);
    socket.onopen = () => { this.pause = 250; this.hello(); };
    socket.onmessage = (event) => this.take(JSON.parse(event.data));
    socket.onclose = () => {
      this.set(false);
      setTimeout(() => this.open(), this.pause);
      this.pause = Math.min(5000, 2 * this.pause);
    };
  }

  hello() { this.say('/hitpoint/hello', 'page', '1', PROTOCOL); this.say('/hitpoint/capabilities'); }

  take([address, ...values]) {
    if (address === '/page/away') { this.set(false); return; }
    this.heardMs = Date.now();
    if (address === '/hitpoint/welcome') this.set(true);
    this.hear(address.replace('/hitpoint/', ''), values);
  }

  watch() {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    if (Date.now() - this.heardMs > SILENCE_MS) this.set(false);
    if (this.there) this.say('/hitpoint/ping', 1); else this.hello();
  }

  set(there) { if (there !== this.there) { this.there = there; this.onState(there); } }

  say(address, ...values) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify([address, ...values]));
  }
}
