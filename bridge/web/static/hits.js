// Hit points as buttons on the time axis: dragged, moved by keys, added, left alone, made a must.
import { clock } from './lanes.js';

const SIZE = 24;

export class Hits {
  constructor(box, state, lanes, onChange) {
    this.box = box; this.state = state; this.lanes = lanes; this.onChange = onChange; this.buttons = new Map();
  }

  // What the picture says, once it was looked at.
  fromLook(look) {
    this.state.hits = look.boundaries.map((each) => ({ timeS: each.time_s, kind: each.kind, foundS: each.time_s, must: false }));
    this.show();
  }

  // The wishes: moments of the user's own, and found ones that are to be left alone.
  pairs() {
    const own = this.state.hits.filter((hit) => !hit.away && (hit.foundS === undefined || hit.must || moved(hit)));
    const left = this.state.hits.filter((hit) => hit.foundS !== undefined && (hit.away || moved(hit)));
    const pairs = [];
    if (own.length) pairs.push('hits', own.map((hit) => `${hit.timeS.toFixed(3)}${hit.must ? '!' : ''}`).join(','));
    if (left.length) pairs.push('unhits', left.map((hit) => hit.foundS.toFixed(3)).join(','));
    return pairs;
  }

  add(timeS) {
    const hit = { timeS, kind: 'own', must: false };
    this.state.hits.push(hit);
    this.show();
    this.buttons.get(hit).focus();
    this.onChange();
  }

  show() {
    const { state } = this;
    for (const [hit, button] of this.buttons) if (!state.hits.includes(hit)) { button.remove(); this.buttons.delete(hit); }
    let last = -Infinity; // of the upper row; who stands too near to it is put into the lower one, so that both can be touched
    for (const hit of [...state.hits].sort((a, b) => a.timeS - b.timeS)) {
      if (!this.buttons.has(hit)) this.buttons.set(hit, this.make(hit));
      const button = this.buttons.get(hit), x = this.lanes.x(hit.timeS);
      button.style.left = `${x}px`;
      const upper = x - last >= SIZE;
      button.style.top = upper ? '1px' : `${SIZE + 2}px`;
      if (upper) last = x;
      button.hidden = x < -12 || x > this.lanes.width + 12;
      button.className = hit.away ? 'away' : hit.foundS === undefined || moved(hit) ? 'own' : hit.kind;
      button.textContent = hit.must ? '!' : hit.kind === 'fade' ? '~' : '';
      button.setAttribute('aria-label', `${hit.away ? 'left alone: ' : ''}${hit.kind === 'own' ? 'own hit' : hit.kind} at ${clock(hit.timeS, 2)}${hit.must ? ', a must' : ''}`);
    }
  }

  make(hit) {
    const button = document.createElement('button');
    button.type = 'button';
    button.addEventListener('pointerdown', (event) => this.drag(event, hit, button));
    button.addEventListener('keydown', (event) => this.key(event, hit, button));
    this.box.append(button);
    return button;
  }

  drag(event, hit, button) {
    const left = this.box.getBoundingClientRect().left, beganX = event.clientX;
    button.setPointerCapture(event.pointerId);
    const move = (each) => {
      if (Math.abs(each.clientX - beganX) < 3 && !button.dragged) return;
      button.dragged = true; hit.timeS = this.lanes.time(each.clientX - left); hit.away = false; this.show();
    };
    const end = () => {
      button.removeEventListener('pointermove', move);
      if (button.dragged) { button.dragged = false; this.onChange(); }
    };
    button.addEventListener('pointermove', move);
    button.addEventListener('pointerup', end, { once: true });
    button.addEventListener('pointercancel', end, { once: true });
  }

  key(event, hit) {
    const step = (event.shiftKey ? 10 : 1) / (this.state.look?.clip.fps || 25);
    if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') {
      hit.timeS = Math.min(this.lanes.durationS, Math.max(0, hit.timeS + (event.key === 'ArrowLeft' ? -step : step)));
    } else if (event.key === 'Delete' || event.key === 'Backspace') {
      if (hit.foundS === undefined) this.state.hits = this.state.hits.filter((each) => each !== hit); else hit.away = !hit.away;
    } else if (event.key === 'Enter') { hit.must = !hit.must; } else return;
    event.preventDefault(); event.stopPropagation();
    this.show(); this.onChange();
  }
}

const moved = (hit) => hit.foundS !== undefined && Math.abs(hit.timeS - hit.foundS) > 1e-6;
