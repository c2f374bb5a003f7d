-- What must stay at its second while the tempo changes: items, envelopes, markers and regions; and which markers are ours.
-- @noindex

local place = {}

local BY_TIME = 0
local NEAR_S, SAME_S = 0.001, 1e-6

-- All markers and regions, in REAPER's order: { index, is_region, first, last, name, id, color }.
local function markers_of(project)
  local list, index = {}, 0
  while true do
    local following, is_region, first, last, name, id, color = reaper.EnumProjectMarkers3(project, index)
    if following == 0 then
      return list
    end
    list[#list + 1] = { index = index, is_region = is_region, first = first, last = last, name = name, id = id, color = color }
    index = index + 1
  end
end

-- A marker's number need not be its own alone: only its place in the list tells which is meant. Those that go back come
-- first, from the left; then those that go on, from the right: so none passes another, and the list keeps its order.
local function restore_markers(project, wanted)
  local now = markers_of(project)
  local function restore(first, last, step, sign)
    for place_in_list = first, last, step do
      local marker, found = wanted[place_in_list], now[place_in_list]
      local off = marker.first - found.first
      if off * sign > 0 or (sign > 0 and off == 0 and marker.last ~= found.last) then
        reaper.SetProjectMarkerByIndex2(project, marker.index, marker.is_region, marker.first, marker.last, marker.id,
          marker.name, marker.color, 0)
      end
    end
  end
  assert(#now == #wanted, "a marker was lost")
  restore(1, #now, 1, -1)
  restore(#now, 1, -1, 1)
  for index, found in ipairs(markers_of(project)) do
    local marker = wanted[index]
    local same = found.id == marker.id and found.is_region == marker.is_region and found.name == marker.name
    assert(same and math.abs(found.first - marker.first) < NEAR_S, "a marker could not be put back to its second")
  end
end

-- Every track with its envelopes' points; the tracks keep time and not beats until `restore_tracks`.
local function hold_tracks(project)
  local held = {}
  for index = -1, reaper.CountTracks(project) - 1 do
    local track = index < 0 and reaper.GetMasterTrack(project) or reaper.GetTrack(project, index)
    local entry = { track = track, mode = reaper.GetMediaTrackInfo_Value(track, "C_BEATATTACHMODE"), points = {} }
    for number = 0, reaper.CountTrackEnvelopes(track) - 1 do
      local envelope = reaper.GetTrackEnvelope(track, number)
      local _, name = reaper.GetEnvelopeName(envelope)
      for point = 0, name == "Tempo map" and -1 or reaper.CountEnvelopePoints(envelope) - 1 do
        local _, time = reaper.GetEnvelopePoint(envelope, point)
        entry.points[#entry.points + 1] = { envelope = envelope, index = point, time = time }
      end
    end
    reaper.SetMediaTrackInfo_Value(track, "C_BEATATTACHMODE", BY_TIME)
    held[#held + 1] = entry
  end
  return held
end

local function restore_tracks(held)
  for _, entry in ipairs(held) do
    local moved = {}
    for _, point in ipairs(entry.points) do
      local _, time, value, shape, tension, selected = reaper.GetEnvelopePoint(point.envelope, point.index)
      if math.abs(time - point.time) > SAME_S then
        reaper.SetEnvelopePoint(point.envelope, point.index, point.time, value, shape, tension, selected, true)
        moved[point.envelope] = true
      end
    end
    for envelope in pairs(moved) do
      reaper.Envelope_SortPoints(envelope)
    end
    reaper.SetMediaTrackInfo_Value(entry.track, "C_BEATATTACHMODE", entry.mode)
  end
end

-- Does `change`, which alters the tempo, and sees to it that all else is at its second afterwards.
function place.kept(project, change)
  local items, markers, tracks = {}, markers_of(project), hold_tracks(project)
  for index = 0, reaper.CountMediaItems(project) - 1 do
    local item = reaper.GetMediaItem(project, index)
    local entry = { item = item }
    for _, name in ipairs({ "C_BEATATTACHMODE", "D_POSITION", "D_LENGTH" }) do
      entry[name] = reaper.GetMediaItemInfo_Value(item, name)
    end
    reaper.SetMediaItemInfo_Value(item, "C_BEATATTACHMODE", BY_TIME)
    items[#items + 1] = entry
  end
  change()
  for _, entry in ipairs(items) do
    for _, name in ipairs({ "D_POSITION", "D_LENGTH", "C_BEATATTACHMODE" }) do
      reaper.SetMediaItemInfo_Value(entry.item, name, entry[name])
    end
  end
  restore_tracks(tracks)
  restore_markers(project, markers)
end

local function key(job)
  return "markers-" .. job
end

local function line_of(marker)
  local is_region = marker.is_region == true or marker.is_region == 1
  local text = (marker.text or marker.name):gsub("[;%c]", " ")
  return ("%d %.3f %s;"):format(is_region and 1 or 0, marker.first, text)
end

-- Keeps in the project which markers are a score's: by kind, second and name, so that one that was changed is the user's.
function place.remember_markers(project, job, markers)
  local lines = {}
  for index, marker in ipairs(markers) do
    lines[index] = line_of(marker)
  end
  reaper.SetProjExtState(project, "Hitpoint", key(job), table.concat(lines))
end

function place.remove_markers(project, job)
  local _, text = reaper.GetProjExtState(project, "Hitpoint", key(job))
  local own = {}
  for line in text:gmatch("[^;]+;") do
    own[line] = true
  end
  local markers = markers_of(project)
  for index = #markers, 1, -1 do
    if own[line_of(markers[index])] then
      reaper.DeleteProjectMarkerByIndex(project, markers[index].index)
    end
  end
end

return place
