// The film with its music. The video's clock leads; the sounds of all takes run along, and one of them is heard.
import { fileUrl } from './files.js';

const TOO_FAR_S = 0.06, AHEAD_S = 0.15;

export class Player {
  constructor(video, session) {
    this.video = video; this.session = session; this.mode = 'wav'; this.mixes = new Map(); this.stems = new Map();
    this.take = -1; this.muted = new Set(); this.output = null; this.notes = []; this.sentS = 0;
    for (const kind of ['play', 'pause', 'seeked', 'ratechange']) video.addEventListener(kind, () => this.follow(kind));
  }

  setTake(number, wav, stems) {
    const old = this.mixes.get(number);
    if (!old || old.dataset.path !== wav) { old?.pause(); this.mixes.set(number, sound(wav)); }
    this.stems.get(number)?.forEach((each) => each instanceof Audio && each.pause());
    this.stems.set(number, new Map(stems.map(([part, path]) => [part, { path }])));
  }

  clear() { this.each((audio) => audio.pause()); this.mixes.clear(); this.stems.clear(); this.take = -1; }

  hearTake(number, notes) { this.take = number; this.notes = notes; this.silence(); this.level(); }

  mute(part, on) { if (on) this.muted.add(part); else this.muted.delete(part); this.silence(); this.level(); }

  each(act) {
    this.mixes.forEach(act);
    this.stems.forEach((parts) => parts.forEach((each) => each instanceof Audio && act(each)));
  }

  // Which sounds are heard: the mix of the take, or, where a part is muted, the stems of the others.
  level() {
    const parts = this.stems.get(this.take);
    const apart = this.muted.size > 0 && parts?.size > 0;
    if (apart) parts.forEach((each, part) => { if (!(each instanceof Audio)) parts.set(part, sound(each.path)); });
    this.each((audio) => { audio.muted = true; });
    if (this.mode === 'wav') {
      if (!apart) { const mix = this.mixes.get(this.take); if (mix) mix.muted = false; }
      else parts.forEach((audio, part) => { audio.muted = this.muted.has(part); });
    }
    this.follow('level');
  }

  follow(kind) {
    const { video } = this;
    this.each((audio) => {
      audio.playbackRate = Math.max(0.25, video.playbackRate);
      if (Math.abs(audio.currentTime - video.currentTime) > TOO_FAR_S) audio.currentTime = video.currentTime;
      if (video.paused || audio.muted && kind !== 'play') { if (video.paused) audio.pause(); }
      if (!video.paused && audio.paused) audio.play().catch(() => {});
    });
    if (kind === 'seeked' || kind === 'pause') { this.sentS = video.currentTime; this.silence(); }
    if (this.mode === 'bridge') {
      this.session.say('/hitpoint/locate', video.currentTime);
      this.session.say(video.paused ? '/hitpoint/stop' : '/hitpoint/play');
    }
  }

  // Called for every picture: MIDI a little ahead, and sounds that have drifted.
  tick() {
    const { video } = this;
    if (video.paused) return;
    const now = video.currentTime;
    this.each((audio) => { if (!audio.muted && Math.abs(audio.currentTime - now) > 2 * TOO_FAR_S) audio.currentTime = now; });
    if (!this.output) return;
    const until = now + AHEAD_S;
    if (this.sentS < now - AHEAD_S || this.sentS > until) this.sentS = now;
    for (const part of this.notes) {
      if (this.muted.has(part.name.toLowerCase())) continue;
      for (const [start, end, pitch, velocity] of part.notes) {
        if (start < this.sentS) continue;
        if (start >= until) break;
        const at = performance.now() + 1000 * (start - now) / video.playbackRate;
        this.output.send([0x90 | part.channel, pitch, velocity], at);
        this.output.send([0x80 | part.channel, pitch, 0], at + 1000 * (end - start) / video.playbackRate);
      }
    }
    this.sentS = until;
  }

  async setMode(mode) {
    this.silence();
    if (this.mode === 'bridge') this.session.say('/hitpoint/stop');
    this.output = null; this.mode = mode;
    if (mode.startsWith('midi:')) {
      this.output = (await navigator.requestMIDIAccess()).outputs.get(mode.slice(5)) ?? null;
      for (const part of this.notes) this.output?.send([0xc0 | part.channel, part.program]);
    }
    this.level();
  }

  silence() {
    if (!this.output) return;
    this.output.clear?.();
    for (let channel = 0; channel < 16; channel++) for (const number of [64, 123, 120]) this.output.send([0xb0 | channel, number, 0]);
  }
}

function sound(path) {
  const audio = new Audio(fileUrl(path));
  audio.preload = 'auto'; audio.muted = true; audio.dataset.path = path;
  return audio;
}

// The browser's MIDI outputs, [id, name]; none where it has no Web MIDI or is not allowed to use it.
export async function midiOutputs() {
  if (!navigator.requestMIDIAccess) return [];
  try { return [...(await navigator.requestMIDIAccess()).outputs.values()].map((each) => [each.id, each.name]); } catch { return []; }
}
