-- Notes of an answer as a take of this project needs them: placed by its tempo, in its ticks.
-- @noindex

local notes = {}

local NEAR_QN = 1 / 1920
local PPQ = 960 -- ticks a quarter note in an answer's notes

-- Adds to `rows` how the project's quarter notes run: at each tempo marker, half way between, and a second after the last.
function notes.add_quarters(project, rows)
  local before
  local function add(time)
    for _, moment in ipairs(before and { (before + time) / 2, time } or { time }) do
      rows[#rows + 1] = { "quarter", moment, reaper.TimeMap2_timeToQN(project, moment) }
    end
    before = time
  end
  add(0.0)
  for index = 0, reaper.CountTempoTimeSigMarkers(project) - 1 do
    local _, time = reaper.GetTempoTimeSigMarker(project, index)
    if time > before then
      add(time)
    end
  end
  add(before + 1)
end

-- Whether the tempo map is, from `origin` on, the one by which the bridge placed the notes.
local function tempo_fits(project, answer, origin)
  local before = reaper.TimeMap2_timeToQN(project, origin)
  for _, point in ipairs(answer.point) do
    local qn = reaper.TimeMap2_timeToQN(project, origin + point.time) - before
    if math.abs(qn - point.qn) > NEAR_QN then
      return false
    end
  end
  return true
end

-- Ticks a quarter note of a take whose first quarter note is `qn`, and the tick of that.
function notes.ppq_of(take, qn)
  local base = reaper.MIDI_GetPPQPosFromProjQN(take, qn)
  return math.floor(reaper.MIDI_GetPPQPosFromProjQN(take, qn + 1) - base + 0.5), math.floor(base + 0.5)
end

-- The second, from the answer's first, at which a quarter note of the score's own tempo falls.
local function second_of(answer, qn)
  local point, following = answer.point[1], answer.point[2]
  for index = 2, #answer.point - 1 do
    if answer.point[index].qn <= qn then
      point, following = answer.point[index], answer.point[index + 1]
    end
  end
  return point.time + (qn - point.qn) * (following.time - point.time) / (following.qn - point.qn)
end

-- The same notes with each tick (of PPQ) as `tick_of` has it.
local function moved(buffer, tick_of)
  local parts, place, now, before = {}, 1, 0, 0
  while place <= #buffer do
    local offset, flags, message
    offset, flags, message, place = ("<i4Bs4"):unpack(buffer, place)
    now = now + offset
    local tick = tick_of(now)
    parts[#parts + 1] = ("<i4Bs4"):pack(tick - before, flags, message)
    before = tick
  end
  return table.concat(parts)
end

-- A track's notes for a take that begins at `origin`. They are ready as they come, unless the user's preferences want
-- other ticks, the item lies elsewhere than the answer, or REAPER has not taken over the score's tempo map to the
-- letter: then they go by their seconds.
function notes.for_take(project, take, answer, track, origin, keep_tempo)
  local fits, before = tempo_fits(project, answer, origin), reaper.TimeMap2_timeToQN(project, origin)
  local made_at = answer.range[1].first
  local fits_there, made_qn = tempo_fits(project, answer, made_at), reaper.TimeMap2_timeToQN(project, made_at)
  assert(fits or fits_there or not keep_tempo, "the project's tempo is not the one that the notes were made for")
  local ppq, base = notes.ppq_of(take, before)
  if fits and ppq == PPQ and base == 0 then
    return track.notes
  end
  return moved(track.notes, function(tick)
    local qn = tick / PPQ
    if not fits then
      local second = fits_there and reaper.TimeMap2_QNToTime(project, made_qn + qn) - made_at or second_of(answer, qn)
      qn = reaper.TimeMap2_timeToQN(project, origin + second) - before
    end
    return math.floor(qn * ppq + base + 0.5)
  end)
end

return notes
