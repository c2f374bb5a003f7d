// The page: what is asked of the bridge, and what it answers, on one time axis with the film.
import * as files from './files.js';
import { Hits } from './hits.js';
import { Lanes, PARTS, clock } from './lanes.js';
import { Mood, inMood } from './mood.js';
import { Player, midiOutputs } from './player.js';
import { Session } from './session.js';

const $ = (id) => document.getElementById(id);
const FORMATS = 'rpp,otio,edl,chords,click,cues', STAGES = ['analyse', 'plan', 'compose', 'write'];
const state = { film: '', job: '', look: null, hits: [], mood: [], takes: new Map(), take: 0, notes: [], report: null, muted: new Set(), solo: '', locked: new Set(), request: 0, working: false };
window.hitpoint = state; // for tests, and for the curious

const video = $('video');
const session = new Session(hear, (there) => {
  say(there ? 'The bridge is there.' : 'The bridge is away; looking for it…', !there);
  if (there) finish(false);
  document.body.dataset.bridge = there ? 'there' : 'away';
});
const player = new Player(video, session);
const lanes = new Lanes($('canvas'), state);
const again = () => { if (state.takes.size) score(); };
const hits = new Hits($('hits'), state, lanes, again);
const mood = new Mood($('moodline'), state, lanes, again);

function say(text, wrong = false) { $('status').textContent = text; $('status').classList.toggle('wrong', wrong); }
const tell = (error) => say(error.message || String(error), true);

// From the bridge.

const HEARD = {
  capabilities: ([kind, ...names]) => {
    const box = { genres: 'genre', moods: 'mood', composers: 'composer' }[kind];
    if (box) fill($(box), kind === 'genres' ? ['auto', ...names] : names, kind === 'moods' ? 'auto' : kind === 'genres' ? 'pop' : names[0]);
  },
  progress: ([job, stage, share]) => {
    if (job !== state.job || !state.working) return;
    const at = STAGES.indexOf(stage);
    if (at >= 0) { $('progress').value = (at + share) / STAGES.length; say(`${stage} ${Math.round(100 * share)} %`); }
  },
  result: ([job, midi, wav, report, take, request, edition]) => { if (job === state.job) keepTake({ midi, wav, report, take, edition, request }).catch(tell); },
  suggestion: ([job, genre, share, mood, moodShare, why]) => {
    if (job !== state.job) return;
    $('suggestion').textContent = `Suggested: ${genre} (${Math.round(100 * share)} %), ${mood} (${Math.round(100 * moodShare)} %): ${why}`;
    if ([...$('genre').options].some((each) => each.value === genre)) $('genre').value = genre;
  },
  error: ([code, text, job]) => { if (!job || job === state.job) { say(text, true); if (code !== 'underrun') finish(false); } },
};

function hear(name, values) { HEARD[name]?.(values); }

async function keepTake(found) {
  const old = state.takes.get(found.take);
  const before = old && old.edition !== found.edition && found.edition > old.edition ? [...old.before, old.edition] : (old?.before ?? []).filter((each) => each < found.edition);
  const [notes, report, list] = await Promise.all([files.notes(found.midi), files.report(found.report), files.files(found.midi)]);
  const take = { ...found, notes, content: report, list, before };
  state.takes.set(found.take, take);
  const stems = list.map((each) => each.path).filter((path) => /-(drums|piano|guitar|bass|strings)\.wav$/.test(path));
  player.setTake(found.take, found.wav, stems.map((path) => [path.match(/-(\w+)\.wav$/)[1], path]));
  if (!state.takes.has(state.take) || found.request || found.take === state.take) state.take = found.take;
  if (found.take === state.take) hearTake(state.take, false);
  showTakes();
  if (found.request || state.takes.size >= state.wanted) finish(true);
}

function finish(well) {
  state.working = false;
  $('cancel').disabled = true; $('score').disabled = $('regenerate').disabled = false;
  $('progress').value = well ? 1 : 0;
  if (well) { const { cuts, changes } = state.report; say([`${cuts.hit} of ${cuts.found} cuts hit`, ...changes].join('; ')); }
}

// To the bridge.

function begin() {
  state.working = true;
  $('cancel').disabled = false; $('score').disabled = $('regenerate').disabled = true; $('progress').value = 0;
}

function announce() {
  state.job ||= `page-${crypto.randomUUID().slice(0, 12)}`;
  session.say('/hitpoint/clips/begin', state.job, state.look?.clip.fps || 25, 1);
  session.say('/hitpoint/clip', state.job, 0, state.film, 0, 0, -1);
  session.say('/hitpoint/clips/end', state.job, 1);
}

function score() {
  if (!state.film) return say('Open a film first.', true);
  state.job = ''; // a score of its own: an older one's late answers are not taken for it
  announce();
  state.wanted = Number($('count').value); state.takes = new Map(); player.clear();
  const pairs = [...document.querySelectorAll('[data-key]')].flatMap((each) => {
    const value = each.type === 'checkbox' ? (each.checked ? 'on' : 'off') : each.value.trim();
    const off = value === '' || (each.type === 'range' && value === each.defaultValue) || (['composer', 'library'].includes(each.id) && $('composer').selectedIndex === 0);
    return off ? [] : [each.dataset.key, value];
  });
  begin();
  session.say('/hitpoint/score', state.job, ...pairs, 'wav', 1, 'stems', $('apart').checked ? 1 : 0, 'formats', FORMATS + ($('mux').checked ? ',mux,plot' : ''), ...hits.pairs());
}

function regenerate() {
  const take = state.takes.get(state.take);
  if (!take) return say('Score the film first.', true);
  const chosen = $('part').value ? [$('part').value] : take.content.instruments.filter((part) => !state.locked.has(part));
  if (chosen.some((part) => state.locked.has(part))) return say(`${chosen[0]} is locked; unlock it, or choose another part`, true);
  const all = chosen.length === take.content.instruments.length;
  begin();
  session.say('/hitpoint/regenerate', state.job, Number($('from').value), Number($('to').value), ++state.request, take.edition, ...(all ? [] : chosen));
}

function undo() {
  const take = state.takes.get(state.take), edition = take?.before.at(-1);
  if (edition === undefined) return;
  begin();
  session.say('/hitpoint/take', state.job, state.take, ++state.request, edition);
}

// On the page.

function hearTake(number, tellBridge = true) {
  const take = state.takes.get(number);
  if (!take) return;
  state.take = number; state.notes = take.notes; state.report = take.content; lanes.dirty = true;
  player.hearTake(number, take.notes);
  if (tellBridge) session.say('/hitpoint/take', state.job, number);
  showTakes(); showParts(take.content.instruments); showFiles(take.list);
  $('undo').disabled = !take.before.length;
  $('to').max = $('from').max = take.content.bars.length - 1;
}

function showTakes() {
  const box = $('takes');
  const focused = box.contains(document.activeElement);
  box.querySelectorAll('label, .hint').forEach((each) => each.remove());
  for (const number of [...state.takes.keys()].sort((a, b) => a - b)) {
    const label = make('label', 'check'), radio = make('input');
    radio.type = 'radio'; radio.name = 'take'; radio.checked = number === state.take;
    radio.addEventListener('change', () => hearTake(number));
    label.append(radio, `Take ${number + 1}`);
    box.append(label);
    if (focused && radio.checked) radio.focus();
  }
}

function showParts(names) {
  const box = $('parts');
  if (box.dataset.names === names.join()) return;
  box.dataset.names = names.join();
  box.querySelectorAll('div, .hint').forEach((each) => each.remove());
  fill($('part'), ['', ...names], $('part').value);
  $('part').options[0].textContent = 'all';
  for (const name of names) {
    const group = make('div', 'row');
    group.setAttribute('role', 'group'); group.setAttribute('aria-label', name);
    group.append(name, toggle(`Mute ${name}`, 'mute', (on) => mutePart(name, on)), toggle(`Solo ${name}`, 'solo', (on) => soloPart(name, on)),
      toggle(`Lock ${name}`, 'lock', (on) => { if (on) state.locked.add(name); else state.locked.delete(name); }));
    box.append(group);
  }
}

function mutePart(name, on) {
  if (on) state.muted.add(name); else state.muted.delete(name);
  player.mute(name, on); lanes.dirty = true;
  session.say('/hitpoint/mute', name, on ? 1 : 0);
}

function soloPart(name, on) {
  for (const each of state.report.instruments) mutePart(each, on && each !== name);
}

function toggle(label, text, act) {
  const box = make('label', 'check'), input = make('input');
  input.type = 'checkbox'; input.setAttribute('aria-label', label);
  input.addEventListener('change', () => act(input.checked));
  box.append(input, text);
  return box;
}

function showFiles(list) {
  $('downloads').replaceChildren(...list.map(({ path, bytes }) => {
    const row = make('li'), link = make('a');
    link.href = files.fileUrl(path, true); link.textContent = path.split('/').at(-1).split('\\').at(-1); link.download = '';
    row.append(link, ` ${bytes > 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${Math.ceil(bytes / 1e3)} kB`}`);
    return row;
  }));
}

function make(kind, name = '') { const each = document.createElement(kind); each.className = name; return each; }

function fill(box, names, chosen) {
  box.replaceChildren(...names.map((name) => new Option(name, name)));
  if (names.includes(chosen)) box.value = chosen;
}

async function open(path) {
  if (!path) return;
  say('Looking at the film…');
  state.film = path; state.job = ''; state.takes = new Map(); state.notes = []; state.report = null; state.look = null; player.clear();
  $('path').value = path; lanes.mostMotion = undefined;
  video.src = files.filmUrl(path);
  video.addEventListener('error', async () => {
    say('This browser cannot play the film; making a copy that it can…');
    try { video.src = files.filmUrl(await files.proxy(path)); } catch (error) { tell(error); }
  }, { once: true });
  state.look = await files.look(path);
  const strip = lanes.strip = new Image();
  strip.count = Math.max(8, Math.min(240, Math.ceil(state.look.duration_s / 2)));
  strip.onload = () => { lanes.dirty = true; };
  strip.src = files.stripUrl(path, strip.count);
  refresh(); hits.fromLook(state.look); mood.clear();
  say(`${state.look.duration_s.toFixed(1)} s, ${state.look.boundaries.length} cuts and fades. Press Score.`);
  document.body.dataset.film = 'there';
}

function refresh() { lanes.view(Number($('zoom').value), Number($('scroll').value)); hits.show(); showRange(); }

function showRange() {
  const bars = state.report?.bars, [first, last] = [Number($('from').value), Number($('to').value)];
  const there = bars?.[first] && bars?.[last];
  $('range').hidden = !there;
  if (there) {
    const x = lanes.x(bars[first].start_s);
    $('range').style.left = `${x}px`; $('range').style.width = `${lanes.x(bars[last].end_s) - x}px`;
  }
}

function seek(timeS) { if (video.readyState) video.currentTime = Math.min(video.duration - 0.001, Math.max(0, timeS)); }
function play() { if (video.paused) video.play().catch(tell); else video.pause(); }

let shown = '';
function frame() {
  player.tick();
  lanes.draw();
  const now = `${video.currentTime} ${lanes.drawn}`;
  if (now !== shown) { // an idle page costs nothing
    shown = now;
    $('clock').textContent = clock(video.currentTime, 2);
    $('head').style.left = `${lanes.x(video.currentTime)}px`;
  }
  requestAnimationFrame(frame);
}

// Keys as editors have them.

const KEYS = {
  ' ': play, k: () => video.pause(), l: () => { video.playbackRate = video.paused ? 1 : Math.min(4, 2 * video.playbackRate); video.play().catch(tell); },
  j: () => { if (!video.paused && video.playbackRate > 1) video.playbackRate /= 2; else { video.pause(); seek(video.currentTime - 1); } },
  ArrowLeft: (event) => seek(video.currentTime - (event.shiftKey ? 1 : 1 / (state.look?.clip.fps || 25))),
  ArrowRight: (event) => seek(video.currentTime + (event.shiftKey ? 1 : 1 / (state.look?.clip.fps || 25))),
  Home: () => seek(0), End: () => seek(lanes.durationS),
};

addEventListener('keydown', (event) => {
  const inside = event.target.closest('input, select, textarea, a') || (event.key === ' ' && event.target.closest('button'));
  if (event.ctrlKey || event.metaKey || event.altKey || inside) return;
  const act = KEYS[event.key] ?? KEYS[event.key.toLowerCase()] ?? (/^[1-9]$/.test(event.key) ? () => hearTake(Number(event.key) - 1) : null);
  if (act) { event.preventDefault(); act(event); }
});

// The mouse on the lanes: a click seeks, a drag chooses bars, or draws the mood.
$('canvas').addEventListener('pointerdown', (event) => {
  const { left, top } = $('canvas').getBoundingClientRect(), beganS = lanes.time(event.clientX - left);
  $('canvas').setPointerCapture(event.pointerId);
  if ($('draw').value && inMood(event.clientY - top)) { stroke(event, left, top); return; }
  const barAt = (timeS) => Math.max(0, state.report.bars.findIndex((bar) => timeS < bar.end_s));
  const move = (each) => {
    const nowS = lanes.time(each.clientX - left);
    if (!state.report || Math.abs(each.clientX - event.clientX) < 4) return;
    $('from').value = barAt(Math.min(beganS, nowS)); $('to').value = barAt(Math.max(beganS, nowS)); showRange();
  };
  $('canvas').addEventListener('pointermove', move);
  $('canvas').addEventListener('pointerup', (each) => {
    $('canvas').removeEventListener('pointermove', move);
    if (Math.abs(each.clientX - event.clientX) < 4) seek(beganS);
  }, { once: true });
});

function stroke(event, left, top) {
  const draw = (each) => mood.draw($('draw').value, each.clientX - left, each.clientY - top);
  mood.begin(); draw(event);
  $('canvas').addEventListener('pointermove', draw);
  $('canvas').addEventListener('pointerup', () => { $('canvas').removeEventListener('pointermove', draw); again(); }, { once: true });
}

$('lanes').addEventListener('wheel', (event) => {
  event.preventDefault();
  const room = lanes.durationS - lanes.spanS;
  if (room > 0) $('scroll').value = Math.min(1, Math.max(0, Number($('scroll').value) + (event.deltaX + event.deltaY) / lanes.width * lanes.spanS / room));
  refresh();
}, { passive: false });

for (const id of ['zoom', 'scroll', 'from', 'to']) $(id).addEventListener('input', refresh);
new ResizeObserver(refresh).observe($('lanes'));
$('play').addEventListener('click', play);
for (const kind of ['play', 'pause']) video.addEventListener(kind, () => { $('play').textContent = video.paused ? 'Play' : 'Pause'; });
$('own').addEventListener('change', () => { video.muted = !$('own').checked; });
$('open').addEventListener('submit', (event) => { event.preventDefault(); open($('path').value.trim()).catch(tell); });
$('upload').addEventListener('change', async () => {
  const file = $('upload').files[0];
  if (!file) return;
  say(`Sending ${file.name}…`);
  try { await open(await files.send(file)); } catch (error) { tell(error); }
});
$('wish').addEventListener('submit', (event) => { event.preventDefault(); score(); });
$('suggest').addEventListener('click', () => {
  if (!state.film) return say('Open a film first.', true);
  announce();
  session.say('/hitpoint/suggest', state.job, $('describe').value);
});
$('cancel').addEventListener('click', () => { session.say('/hitpoint/cancel', state.job); finish(false); say('Cancelled; what was finished stays.'); });
$('change').addEventListener('submit', (event) => { event.preventDefault(); regenerate(); });
$('setchord').addEventListener('click', () => {
  if (!state.report || !$('chord').value) return say('Score the film and write a chord first.', true);
  for (const half of [0, 1]) session.say('/hitpoint/chord/set', state.job, Number($('from').value), half, $('chord').value.trim());
  $('to').value = $('from').value;
  regenerate();
});
$('undo').addEventListener('click', undo);
$('addhit').addEventListener('click', () => hits.add(video.currentTime));
$('sound').addEventListener('change', () => player.setMode($('sound').value).catch(tell));
$('sound').addEventListener('pointerdown', async () => {
  for (const [id, name] of await midiOutputs()) if (![...$('sound').options].some((each) => each.value === `midi:${id}`)) $('sound').add(new Option(`Web MIDI: ${name}`, `midi:${id}`));
}, { once: true });

const token = location.hash.slice(1) || sessionStorage.getItem('token') || '';
sessionStorage.setItem('token', token);
history.replaceState(null, '', location.pathname);
document.body.dataset.parts = PARTS.length;
frame();
try {
  const { film } = await files.enter(token);
  document.body.dataset.entered = 'yes';
  session.begin();
  await open(film);
} catch (error) { tell(error); }
