-- The tempo map: the score's over its range, and all outside it as it was.
-- @noindex

local tempo = {}

local NEW_MEASURE, PARTIAL_MEASURE_BEFORE = 1, 4
local NEAR_S, NEAR_BPM = 0.001, 0.001
local RAMP_ENDS_S = 0.002 -- before the score: two tempo markers cannot lie at one second

-- The tempo markers: { index, time, bpm, num, den, linear }, in order of time.
function tempo.markers(project)
  local list = {}
  for index = 0, reaper.CountTempoTimeSigMarkers(project) - 1 do
    local _, time, _, _, bpm, num, den, linear = reaper.GetTempoTimeSigMarker(project, index)
    list[#list + 1] = { index = index, time = time, bpm = bpm, num = num, den = den, linear = linear }
  end
  return list
end

-- Tempo, time signature and whether the tempo slides, just after `time` (up_to: just before it).
local function at(project, time, up_to)
  local num, den, bpm = reaper.TimeMap_GetTimeSigAtTime(project, time)
  local found = { time = time, num = num, den = den, bpm = bpm, linear = false }
  local markers = tempo.markers(project)
  for place, marker in ipairs(markers) do
    local following = markers[place + 1]
    if (up_to and marker.time < time - NEAR_S) or (not up_to and marker.time <= time + NEAR_S) then
      found.bpm, found.linear = marker.bpm, marker.linear and following ~= nil
      if found.linear then
        local share = math.max(0, time - marker.time) / (following.time - marker.time)
        found.bpm = marker.bpm + (following.bpm - marker.bpm) * share
      end
    end
  end
  return found
end

local function key(job)
  return "tempo-" .. job
end

-- The markers of the map that are those a score was given, and those that are not. The list is kept in the project, by
-- time and tempo: one that was moved or changed is the user's.
local function sorted_out(project, job)
  local _, text = reaper.GetProjExtState(project, "Hitpoint", key(job))
  local own, others = {}, {}
  for _, marker in ipairs(tempo.markers(project)) do
    local ours = false
    for time, bpm in text:gmatch("([%d.-]+) ([%d.-]+);") do
      ours = ours or (math.abs(marker.time - tonumber(time)) < NEAR_S and math.abs(marker.bpm - tonumber(bpm)) < NEAR_BPM)
    end
    table.insert(ours and own or others, marker)
  end
  return own, others
end

-- Whether there are tempo markers that none of the scores `jobs` (a set) was given.
function tempo.has_others(project, jobs)
  local count = reaper.CountTempoTimeSigMarkers(project)
  for job in pairs(jobs) do
    count = count - #(sorted_out(project, job))
  end
  return count > 0
end

-- Takes out what a score was given, but for its end, from where on the project goes as it went.
function tempo.remove(project, job)
  local own = sorted_out(project, job)
  for place = #own - 1, 1, -1 do
    reaper.DeleteTempoTimeSigMarker(project, own[place].index)
  end
end

local function set(project, index, point)
  local num, den = point.num or point.beats, point.den or point.unit
  reaper.SetTempoTimeSigMarker(project, index, point.time, -1, -1, point.bpm, num, den, point.linear or false)
end

-- The bar that is under way where the score begins may end there, at the first marker of its tempo map.
local function allow_partial_measure(project, time)
  if not reaper.APIExists("GetSetTempoTimeSigMarkerFlag") then
    return -- older than REAPER 7
  end
  for _, marker in ipairs(tempo.markers(project)) do
    if math.abs(marker.time - time) < NEAR_S and marker.num > 0 then
      reaper.GetSetTempoTimeSigMarkerFlag(project, marker.index, NEW_MEASURE | PARTIAL_MEASURE_BEFORE, true)
    end
  end
end

-- Deletes what lies in the score's range. Returns the markers to put there instead, in order of time.
local function prepared(project, answer)
  local first, last = answer.range[1].first, answer.range[1].last
  local into, onwards = at(project, first - RAMP_ENDS_S, true), at(project, last)
  local points = { table.unpack(answer.tempo) }
  if into.linear then -- the slide up to the score ends as high as it would have been there
    into.num, into.den, into.linear = 0, 0, false
    table.insert(points, 1, into)
  end
  points[#points + 1] = onwards
  local markers = tempo.markers(project)
  for place = #markers, 1, -1 do
    if markers[place].time > first - NEAR_S and markers[place].time < last + NEAR_S then
      reaper.DeleteTempoTimeSigMarker(project, markers[place].index)
    end
  end
  return points
end

-- The answer's tempo map over its range; before and after it the project goes as before.
function tempo.set(project, job, answer)
  local points, texts = prepared(project, answer), {}
  for index, point in ipairs(points) do
    set(project, -1, point)
    texts[index] = ("%.9f %.9f;"):format(point.time, point.bpm)
  end
  for _, marker in ipairs(tempo.markers(project)) do -- where an insertion has moved one, it is put back
    for _, point in ipairs(points) do
      local off = math.abs(marker.time - point.time)
      if off > 1e-6 and off < NEAR_S then
        set(project, marker.index, point)
      end
    end
  end
  allow_partial_measure(project, answer.range[1].first)
  reaper.SetProjExtState(project, "Hitpoint", key(job), table.concat(texts))
  reaper.UpdateTimeline()
end

return tempo
