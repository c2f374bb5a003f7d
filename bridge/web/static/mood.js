// The mood as it is drawn: valence and tension on the lane, or typed as SECONDS:VALENCE:TENSION.
import { MOOD } from './lanes.js';

const STEP_S = 0.5, MOST_POINTS = 150;

export class Mood {
  constructor(field, state, lanes, onChange) {
    this.field = field; this.state = state; this.lanes = lanes; this.onChange = onChange; this.before = null;
    field.addEventListener('input', () => this.read());
    field.addEventListener('change', onChange);
  }

  // What is typed: points that are no numbers are the bridge's to refuse.
  read() {
    this.state.mood = this.field.value.split(',').map((part) => part.split(':')).filter((part) => part.length === 3 && part[0].trim() !== '')
      .map(([time, valence, tension]) => ({ timeS: Number(time), valence: number(valence), tension: number(tension) }));
    this.lanes.dirty = true;
  }

  clear() { this.field.value = ''; this.read(); }

  // A stroke: whatever lies between two places of the pointer is drawn over.
  begin() { this.before = null; }

  draw(name, x, y) {
    const timeS = this.lanes.time(x), value = Math.round(100 * this.lanes.moodAt(name, y)) / 100;
    const [fromS, toS] = [timeS, this.before?.timeS ?? timeS].sort((a, b) => a - b), step = Math.max(STEP_S, this.lanes.durationS / MOST_POINTS);
    for (const point of this.state.mood) if (point.timeS >= fromS && point.timeS <= toS) point[name] = null;
    const at = Math.round(timeS / step) * step, there = this.state.mood.find((point) => Math.abs(point.timeS - at) < step / 2);
    if (there) there[name] = value; else this.state.mood.push({ timeS: at, valence: null, tension: null, [name]: value });
    this.before = { timeS };
    this.state.mood = this.state.mood.filter((point) => point.valence !== null || point.tension !== null).sort((a, b) => a.timeS - b.timeS);
    this.field.value = this.state.mood.map((point) => `${Number(point.timeS.toFixed(2))}:${point.valence ?? ''}:${point.tension ?? ''}`).join(', ');
    this.lanes.dirty = true;
  }
}

export const inMood = (y) => y >= MOOD.top && y <= MOOD.top + MOOD.high;
const number = (text) => (text.trim() === '' || Number.isNaN(Number(text)) ? null : Number(text));
