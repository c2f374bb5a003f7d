-- Writes an answer of the bridge into the project, in one undo block that is rolled back where anything fails.
-- @noindex

local score = {}

local UNSELECT_ALL_ITEMS, IMPLODE_INTO_TAKES = 40289, 40543
local PROGRAM_CHANGE = 0xC0
local NEAR_S = 0.001

local number = tonumber

local function integer(text)
  return math.tointeger(tonumber(text)) -- of a text directly only from Lua 5.4.3 on
end

local function color_of(red, green, blue)
  return reaper.ColorToNative(red, green, blue) | 0x1000000
end

-- The rows of an answer as one table.
function score.parse(rows)
  local answer = { tracks = {}, tempo = {}, markers = {}, regions = {}, take = 0 }
  for _, row in ipairs(rows) do
    local kind = row[1]
    if kind == "range" or kind == "span" then
      answer[kind] = { first = number(row[2]), last = number(row[3]) }
    elseif kind == "take" then
      answer.take = integer(row[2])
    elseif kind == "track" then
      answer.tracks[#answer.tracks + 1] = {
        name = row[2],
        channel = integer(row[3]),
        program = integer(row[4]),
        color = color_of(integer(row[5]), integer(row[6]), integer(row[7])),
        notes = {},
      }
    elseif kind == "note" then
      local notes = answer.tracks[#answer.tracks].notes
      notes[#notes + 1] = { number(row[2]), number(row[3]), integer(row[4]), integer(row[5]) }
    elseif kind == "tempo" then
      answer.tempo[#answer.tempo + 1] = { time = number(row[2]), bpm = number(row[3]) }
    elseif kind == "marker" then
      answer.markers[#answer.markers + 1] = { time = number(row[2]), text = row[3] }
    elseif kind == "region" then
      answer.regions[#answer.regions + 1] = { first = number(row[2]), last = number(row[3]), text = row[4] }
    end
  end
  return answer
end

-- Runs `change` as one undo step called `name`. Where it fails, the step is undone and the reason is returned.
function score.as_one_step(project, name, change)
  reaper.Undo_BeginBlock2(project)
  reaper.PreventUIRefresh(1)
  local ok, problem = pcall(change)
  reaper.PreventUIRefresh(-1)
  reaper.Undo_EndBlock2(project, name, -1)
  if not ok then
    reaper.Undo_DoUndo2(project)
  end
  reaper.UpdateTimeline()
  reaper.UpdateArrange()
  return not ok and "The score could not be written, and everything was undone: " .. problem .. "." or nil
end

-- Does `change`, which alters the tempo, and puts every item, marker and region back at its second.
local function in_place(project, change)
  local items, markers = {}, {}
  for index = 0, reaper.CountMediaItems(project) - 1 do
    local item = reaper.GetMediaItem(project, index)
    local place = { item = item }
    for _, name in ipairs({ "C_BEATATTACHMODE", "D_POSITION", "D_LENGTH" }) do
      place[name] = reaper.GetMediaItemInfo_Value(item, name)
    end
    reaper.SetMediaItemInfo_Value(item, "C_BEATATTACHMODE", 0)
    items[#items + 1] = place
  end
  local index = 0
  repeat
    local following, is_region, first, last, name, id, color = reaper.EnumProjectMarkers3(project, index)
    if following > 0 then
      markers[#markers + 1] = { id, is_region, first, last, name, color }
    end
    index = index + 1
  until following == 0
  change()
  for _, place in ipairs(items) do
    for _, name in ipairs({ "D_POSITION", "D_LENGTH", "C_BEATATTACHMODE" }) do
      reaper.SetMediaItemInfo_Value(place.item, name, place[name])
    end
  end
  for _, marker in ipairs(markers) do
    reaper.SetProjectMarker3(project, table.unpack(marker))
  end
end

-- The answer's tempo map between `first` and `last`; after it the project goes on as before.
local function set_tempo(project, answer)
  local first, last = answer.range.first, answer.range.last
  local numerator, denominator, old_bpm = reaper.TimeMap_GetTimeSigAtTime(project, last)
  local marked_end = false
  for index = reaper.CountTempoTimeSigMarkers(project) - 1, 0, -1 do
    local _, time = reaper.GetTempoTimeSigMarker(project, index)
    if math.abs(time - last) < NEAR_S then
      marked_end = true
    elseif time > first - NEAR_S and time < last then
      reaper.DeleteTempoTimeSigMarker(project, index)
    end
  end
  if not marked_end then
    reaper.SetTempoTimeSigMarker(project, -1, last, -1, -1, old_bpm, numerator, denominator, false)
  end
  for index, point in ipairs(answer.tempo) do
    local beats = index == 1 and 4 or 0 -- a time signature at the first: the music's bars begin there
    reaper.SetTempoTimeSigMarker(project, -1, point.time, -1, -1, point.bpm, beats, beats, false)
  end
  reaper.UpdateTimeline()
end

local function ppq(take, time)
  return math.floor(reaper.MIDI_GetPPQPosFromProjTime(take, time) + 0.5)
end

-- Inserts the notes of `track`; `shift`: seconds by which the item was moved since it was made.
local function insert_notes(take, track, shift)
  for _, note in ipairs(track.notes) do
    local start, stop = ppq(take, note[1] + shift), ppq(take, note[2] + shift)
    local ok = reaper.MIDI_InsertNote(take, false, false, start, stop, track.channel, note[3], note[4], true)
    assert(ok, "a note was refused")
  end
  reaper.MIDI_Sort(take)
end

local function tag(take, text)
  local _, found = reaper.GetSetMediaItemTakeInfo_String(take, "P_EXT:hitpoint", text or "", text ~= nil)
  return found
end

local function new_item(media_track, job, answer, track, first, last)
  local item = reaper.CreateNewMIDIItemInProj(media_track, first, last, false)
  reaper.SetMediaItemInfo_Value(item, "D_POSITION", first)
  reaper.SetMediaItemInfo_Value(item, "D_LENGTH", last - first)
  reaper.SetMediaItemInfo_Value(item, "B_LOOPSRC", 0)
  local take = reaper.GetActiveTake(item)
  reaper.GetSetMediaItemTakeInfo_String(take, "P_NAME", ("%s %d"):format(track.name, answer.take + 1), true)
  tag(take, ("%s|%s|%d|%.9f"):format(job, track.name, answer.take, answer.range.first))
  reaper.MIDI_InsertCC(take, false, false, 0, PROGRAM_CHANGE, track.channel, track.program, 0)
  insert_notes(take, track, first - answer.range.first)
  return item
end

local function new_track(project, name, color)
  local index = reaper.CountTracks(project)
  reaper.InsertTrackAtIndex(index, false)
  local track = reaper.GetTrack(project, index)
  reaper.GetSetMediaTrackInfo_String(track, "P_NAME", name, true)
  reaper.SetMediaTrackInfo_Value(track, "I_CUSTOMCOLOR", color)
  return track
end

-- A folder with one track an instrument, the tempo map (unless `keep_tempo`), markers and regions.
function score.insert(project, job, answer, keep_tempo)
  if not keep_tempo then
    in_place(project, function()
      set_tempo(project, answer)
    end)
  end
  local orange, grey = color_of(237, 140, 56), color_of(110, 118, 128)
  reaper.SetMediaTrackInfo_Value(new_track(project, "Hitpoint", orange), "I_FOLDERDEPTH", 1)
  for index, track in ipairs(answer.tracks) do
    local media_track = new_track(project, track.name, track.color)
    new_item(media_track, job, answer, track, answer.range.first, answer.range.last)
    reaper.SetMediaTrackInfo_Value(media_track, "I_FOLDERDEPTH", index == #answer.tracks and -1 or 0)
  end
  for _, marker in ipairs(answer.markers) do
    reaper.AddProjectMarker2(project, false, marker.time, 0, marker.text, -1, orange)
  end
  for _, region in ipairs(answer.regions) do
    reaper.AddProjectMarker2(project, true, region.first, region.last, region.text, -1, grey)
  end
  reaper.SetProjExtState(project, "Hitpoint", "job", job)
  reaper.SetProjExtState(project, "Hitpoint", "takes", "1")
end

-- Every item whose active take is one of Hitpoint's: { item, take, job, instrument, number, selected, first, shift }.
-- shift: seconds by which the item was moved since the score was made.
function score.items(project)
  local found = {}
  for index = 0, reaper.CountMediaItems(project) - 1 do
    local item = reaper.GetMediaItem(project, index)
    local take = reaper.GetActiveTake(item)
    local job, instrument, take_number, made_at = (take and tag(take) or ""):match("^([^|]+)|([^|]+)|(%d+)|([%d.-]+)$")
    if job then
      local entry = { item = item, take = take, job = job, instrument = instrument }
      entry.number = integer(take_number)
      entry.first = reaper.GetMediaItemInfo_Value(item, "D_POSITION")
      entry.shift = entry.first - tonumber(made_at)
      entry.selected = reaper.GetMediaItemInfo_Value(item, "B_UISEL") ~= 0
      found[#found + 1] = entry
    end
  end
  return found
end

-- The score meant: that of the selected item, else the project's latest. Nil where there is none.
function score.current_job(project)
  for _, entry in ipairs(score.items(project)) do
    if entry.selected then
      return entry.job
    end
  end
  local _, job = reaper.GetProjExtState(project, "Hitpoint", "job")
  return job ~= "" and job or nil
end

local function matching(project, job, answer)
  local pairs_found = {}
  for _, entry in ipairs(score.items(project)) do
    for _, track in ipairs(answer.tracks) do
      if entry.job == job and entry.instrument == track.name then
        pairs_found[#pairs_found + 1] = { entry = entry, track = track }
      end
    end
  end
  assert(#pairs_found > 0, "its items are no longer in the project")
  return pairs_found
end

-- The answer as one more take of each item of `job`, made the active one.
function score.add_take(project, job, answer)
  local selected = {}
  for index = 0, reaper.CountSelectedMediaItems(project) - 1 do
    selected[#selected + 1] = reaper.GetSelectedMediaItem(project, index)
  end
  for _, pair in ipairs(matching(project, job, answer)) do
    local item, first = pair.entry.item, pair.entry.first
    local last = first + reaper.GetMediaItemInfo_Value(item, "D_LENGTH")
    local added = new_item(reaper.GetMediaItem_Track(item), job, answer, pair.track, first, last)
    reaper.Main_OnCommand(UNSELECT_ALL_ITEMS, 0)
    reaper.SetMediaItemInfo_Value(item, "B_UISEL", 1)
    reaper.SetMediaItemInfo_Value(added, "B_UISEL", 1)
    reaper.Main_OnCommand(IMPLODE_INTO_TAKES, 0)
    local merged = reaper.GetSelectedMediaItem(project, 0)
    reaper.SetActiveTake(reaper.GetMediaItemTake(merged, reaper.CountTakes(merged) - 1))
  end
  reaper.Main_OnCommand(UNSELECT_ALL_ITEMS, 0)
  for _, item in ipairs(selected) do
    if reaper.ValidatePtr2(project, item, "MediaItem*") then
      reaper.SetMediaItemInfo_Value(item, "B_UISEL", 1)
    end
  end
  reaper.SetProjExtState(project, "Hitpoint", "takes", tostring(answer.take + 1))
end

-- The answer's notes in place of those that begin inside its span; all others stay as they are.
function score.replace(project, job, answer)
  for _, pair in ipairs(matching(project, job, answer)) do
    local take, shift = pair.entry.take, pair.entry.shift
    local _, count = reaper.MIDI_CountEvts(take)
    for index = count - 1, 0, -1 do
      local _, _, _, start = reaper.MIDI_GetNote(take, index)
      local time = reaper.MIDI_GetProjTimeFromPPQPos(take, start) - shift
      if time > answer.span.first - NEAR_S and time < answer.span.last - NEAR_S then
        reaper.MIDI_DeleteNote(take, index)
      end
    end
    insert_notes(take, pair.track, shift)
  end
end

return score
