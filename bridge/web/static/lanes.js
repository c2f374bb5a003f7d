// All lanes on one time axis, one canvas as wide as the window: only what is seen is drawn, whatever the film's length.
const TOPS = { strip: 0, motion: 64, hits: 106, mood: 162, chords: 210, tempo: 232, players: 268, roll: 324 };
const HEIGHT = 474, RULER = 14, NEAREST_S = 2;
const COLOURS = { drums: '#ff7a6b', piano: '#6bb3ff', guitar: '#7bd88f', bass: '#d6a5ff', strings: '#ffd166' };
export const PARTS = Object.keys(COLOURS);
export const MOOD = { top: TOPS.mood, high: 46 };
const MOODS = { valence: '#7bd88f', tension: '#ff7a6b', arousal: '#ffd166' };

export class Lanes {
  constructor(canvas, state) {
    this.canvas = canvas; this.state = state; this.startS = 0; this.spanS = 10; this.dirty = true; this.strip = null; this.drawn = 0;
    new ResizeObserver(() => this.resize()).observe(canvas);
  }

  resize() {
    const scale = devicePixelRatio || 1;
    this.width = this.canvas.clientWidth;
    this.canvas.width = Math.round(this.width * scale); this.canvas.height = Math.round(HEIGHT * scale);
    this.pen = this.canvas.getContext('2d', { alpha: false });
    this.pen.setTransform(scale, 0, 0, scale, 0, 0);
    this.dirty = true;
  }

  get durationS() { return this.state.look?.duration_s || 10; }

  // zoom: 0 the whole film … 1 two seconds; scroll: 0..1
  view(zoom, scroll) {
    this.spanS = this.durationS * (Math.min(NEAREST_S, this.durationS) / this.durationS) ** zoom;
    this.startS = scroll * (this.durationS - this.spanS);
    this.dirty = true;
  }

  x(timeS) { return (timeS - this.startS) / this.spanS * this.width; }
  time(x) { return Math.min(this.durationS, Math.max(0, this.startS + x / this.width * this.spanS)); }

  draw() {
    if (!this.dirty || !this.pen) return;
    this.dirty = false; this.drawn++;
    const { pen, state } = this;
    pen.fillStyle = '#0d1116'; pen.fillRect(0, 0, this.width, HEIGHT);
    pen.font = '11px system-ui, sans-serif'; pen.textBaseline = 'middle';
    if (state.look) { this.drawStrip(); this.drawMotion(state.look); }
    const report = state.report;
    if (report) { this.drawBars(report); this.drawMood(report); this.drawChords(report); this.drawTempo(report); this.drawPlayers(report); }
    this.drawMoodLine(state.mood);
    this.drawRoll(state.notes);
    pen.fillStyle = '#c9d2de';
    for (const [name, top] of Object.entries(TOPS)) if (name !== 'strip' && name !== 'hits') pen.fillText(name === 'players' ? 'who plays' : name === 'roll' ? 'notes' : name, 4, top + 7);
  }

  seen(timeS, endS = timeS) { return endS >= this.startS && timeS <= this.startS + this.spanS; }

  drawStrip() {
    const { pen, strip } = this;
    const step = [0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600].find((each) => each / this.spanS * this.width > 60) ?? 1200;
    if (strip?.complete && strip.naturalWidth) {
      const count = strip.count, each = strip.naturalWidth / count, wide = 48 * each / strip.naturalHeight;
      for (let x = 0; x < this.width; x += wide) {
        const number = Math.min(count - 1, Math.floor(this.time(x + wide / 2) / this.durationS * count));
        pen.drawImage(strip, number * each, 0, each, strip.naturalHeight, x, RULER, wide, 48);
      }
    }
    pen.fillStyle = '#aab4c2';
    for (let t = Math.ceil(this.startS / step) * step; this.seen(t); t += step) {
      pen.fillText(clock(t), this.x(t) + 3, RULER / 2); pen.fillRect(this.x(t), 0, 1, RULER);
    }
  }

  // The largest value of each column, so that no peak is lost.
  drawMotion(look) {
    const { pen } = this, { times_s: times, motion } = look;
    if (!times.length) return;
    const top = TOPS.motion, most = this.mostMotion ??= Math.max(1e-6, ...motion.reduce((all, value) => { all[0] = Math.max(all[0], value); return all; }, [0]));
    pen.fillStyle = '#4a90d9';
    let index = lower(times, this.startS);
    for (let x = 0; x < this.width && index < times.length; x++) {
      const endS = this.startS + (x + 1) / this.width * this.spanS;
      let value = motion[Math.max(0, index - 1)];
      while (index < times.length && times[index] < endS) value = Math.max(value, motion[index++]);
      const high = 38 * Math.sqrt(value / most);
      pen.fillRect(x, top + 40 - high, 1, high);
    }
  }

  drawBars({ bars }) {
    const { pen } = this;
    for (const bar of bars) if (this.seen(bar.start_s)) {
      pen.fillStyle = '#2a3340'; pen.fillRect(this.x(bar.start_s), TOPS.mood, 1, HEIGHT);
    }
  }

  drawMood({ bars }) {
    const { pen } = this;
    for (const [name, colour] of Object.entries(MOODS)) {
      pen.strokeStyle = colour; pen.lineWidth = 1.5; pen.beginPath();
      for (const bar of bars) if (bar.affect && this.seen(bar.start_s - 4, bar.end_s + 4)) pen.lineTo(this.x((bar.start_s + bar.end_s) / 2), this.moodY(bar.affect[name]));
      pen.stroke();
    }
  }

  moodY(value) { return MOOD.top + MOOD.high / 2 - 20 * value; }

  moodAt(name, y) { return Math.max(name === 'tension' ? 0 : -1, Math.min(1, (MOOD.top + MOOD.high / 2 - y) / 20)); }

  // What was drawn, with its points.
  drawMoodLine(points) {
    const { pen } = this;
    for (const name of ['valence', 'tension']) {
      pen.strokeStyle = pen.fillStyle = MOODS[name]; pen.lineWidth = 3; pen.beginPath();
      for (const each of points) if (each[name] !== null) pen.lineTo(this.x(each.timeS), this.moodY(each[name]));
      pen.stroke();
      for (const each of points) if (each[name] !== null) pen.fillRect(this.x(each.timeS) - 2, this.moodY(each[name]) - 2, 4, 4);
    }
  }

  drawChords({ bars }) {
    const { pen } = this;
    let before = '', freeX = 42;
    pen.fillStyle = '#e6eaf0';
    for (const bar of bars) (bar.chords_target || []).forEach((symbol, half) => {
      const x = this.x(bar.start_s + half * (bar.end_s - bar.start_s) / 2);
      if (symbol !== before && x >= freeX && x < this.width) { pen.fillText(symbol, x + 2, TOPS.chords + 10); freeX = x + pen.measureText(symbol).width + 6; }
      before = symbol;
    });
  }

  drawTempo({ tempo_map: tempi, bars }) {
    const { pen } = this, all = tempi.map((each) => each.bpm), low = Math.min(...all) - 2, high = Math.max(...all) + 2;
    const y = (bpm) => TOPS.tempo + 30 - 26 * (bpm - low) / (high - low), endS = bars.at(-1)?.end_s ?? 0;
    pen.strokeStyle = '#d6a5ff'; pen.lineWidth = 1.5; pen.beginPath();
    tempi.forEach((each, index) => { pen.lineTo(this.x(each.time_s), y(each.bpm)); pen.lineTo(this.x(tempi[index + 1]?.time_s ?? endS), y(each.bpm)); });
    pen.stroke();
  }

  drawPlayers({ bars }) {
    for (const bar of bars) if (this.seen(bar.start_s, bar.end_s)) for (const name of bar.instruments) {
      this.pen.fillStyle = COLOURS[name];
      this.pen.fillRect(this.x(bar.start_s), TOPS.players + 10 * PARTS.indexOf(name), Math.max(1, this.x(bar.end_s) - this.x(bar.start_s) - 1), 8);
    }
  }

  drawRoll(parts) {
    const { pen } = this, top = TOPS.roll, high = HEIGHT - top - 2;
    for (const part of parts) {
      const name = part.name.toLowerCase();
      pen.fillStyle = COLOURS[name] ?? '#ccc';
      pen.globalAlpha = this.state.muted.has(name) ? 0.2 : 1;
      const notes = part.notes;
      for (let i = lower(notes, this.startS - 20, (note) => note[0]); i < notes.length && notes[i][0] < this.startS + this.spanS; i++) {
        const [start, end, pitch] = notes[i];
        if (end < this.startS) continue;
        pen.fillRect(this.x(start), top + high * (1 - (pitch - 24) / 84), Math.max(1, this.x(end) - this.x(start) - 0.5), Math.max(2, high / 84));
      }
    }
    pen.globalAlpha = 1;
  }
}

// The first index whose value is not below.
function lower(list, value, of = (each) => each) {
  let low = 0, high = list.length;
  while (low < high) { const middle = (low + high) >> 1; if (of(list[middle]) < value) low = middle + 1; else high = middle; }
  return low;
}

export function clock(timeS, parts = 0) {
  const minutes = Math.floor(timeS / 60), seconds = (timeS - 60 * minutes).toFixed(parts).padStart(parts ? 3 + parts : 2, '0');
  return `${minutes}:${seconds}`;
}
