-- Writes an answer of the bridge into the project: one undo step in one defer cycle, rolled back where anything fails.
-- The bridge has done what could be done before: the notes come as REAPER takes them, placed by the tempo map.
-- @noindex

local load = ...
local tempo, place, notes_of = load("tempo"), load("place"), load("notes")
local score = {}

local UNSELECT_ALL_ITEMS, IMPLODE_INTO_TAKES = 40289, 40543
local PROGRAM_CHANGE = 0xC0
local NEAR_S = 0.001
local FOLDER_COLOR = { red = 237, green = 140, blue = 56 }

-- The rows of an answer (bridge/hosts/reaper/answers.py): the names of their fields. All but the TEXTS are numbers.
local FIELDS = {
  take = "number",
  range = "first last",
  tempo = "time bpm beats unit",
  point = "time qn",
  marker = "is_region first last text red green blue",
  track = "name channel program red green blue notes",
  notes = "notes",
  duck = "time gain",
  stay = "head old_tail new_tail",
  note = "text",
}
local TEXTS = { text = true, name = true, notes = true }

-- The rows of an answer as tables, in lists by their kind.
function score.parse(rows)
  local answer = { marker = {}, notes = {}, note = {}, duck = {} }
  for _, row in ipairs(rows) do
    local entry, index = {}, 1
    for name in FIELDS[row[1]]:gmatch("%S+") do
      index = index + 1
      entry[name] = assert(TEXTS[name] and row[index] or tonumber(row[index]))
    end
    answer[row[1]] = answer[row[1]] or {}
    table.insert(answer[row[1]], entry)
  end
  return answer
end

local function color_of(entry)
  return reaper.ColorToNative(entry.red, entry.green, entry.blue) | 0x1000000
end

-- What went wrong, without the script's file and line.
local function reason(problem)
  return (tostring(problem):gsub("^.*%.lua:%d+: ", ""))
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
  return not ok and "The score could not be written, and everything was undone: " .. reason(problem) .. "." or nil
end

local function set_notes(take, notes)
  assert(reaper.MIDI_SetAllEvts(take, notes), "its notes were refused")
end

local function tag(take, text)
  local _, found = reaper.GetSetMediaItemTakeInfo_String(take, "P_EXT:hitpoint", text or "", text ~= nil)
  return found
end

-- A MIDI item as long as the answer, at `first`. made_at: the second at which the bridge has the score begin.
local function new_item(project, media_track, job, answer, track, first, made_at, keep_tempo)
  local range, number = answer.range[1], answer.take[1].number
  local last = first + range.last - range.first
  local item = reaper.CreateNewMIDIItemInProj(media_track, first, last, false)
  reaper.SetMediaItemInfo_Value(item, "D_POSITION", first)
  reaper.SetMediaItemInfo_Value(item, "D_LENGTH", last - first)
  reaper.SetMediaItemInfo_Value(item, "B_LOOPSRC", 0)
  local take = reaper.GetActiveTake(item)
  reaper.GetSetMediaItemTakeInfo_String(take, "P_NAME", ("%s %d"):format(track.name, number + 1), true)
  tag(take, ("%s|%s|%d|%.9f"):format(job, track.name, number, made_at))
  set_notes(take, notes_of.for_take(project, take, answer, track, first, keep_tempo))
  reaper.MIDI_InsertCC(take, false, false, 0, PROGRAM_CHANGE, track.channel, track.program, 0)
  reaper.MIDI_Sort(take)
  return item, take
end

local function new_track(project, name, color, depth)
  local index = reaper.CountTracks(project)
  reaper.InsertTrackAtIndex(index, false)
  local track = reaper.GetTrack(project, index)
  reaper.GetSetMediaTrackInfo_String(track, "P_NAME", name, true)
  reaper.SetMediaTrackInfo_Value(track, "I_CUSTOMCOLOR", color)
  reaper.SetMediaTrackInfo_Value(track, "I_FOLDERDEPTH", depth)
  return track
end

-- A folder with one track an instrument; instruments that have a track in `kept` go there. Returns the folder that was
-- made, nil for none.
local function add_tracks(project, job, answer, kept, keep_tempo)
  local first, missing = answer.range[1].first, {}
  for _, track in ipairs(answer.track) do
    if kept[track.name] then
      new_item(project, kept[track.name], job, answer, track, first, first, keep_tempo)
    else
      missing[#missing + 1] = track
    end
  end
  local made
  if #missing > 0 or #answer.track == 0 then
    made = new_track(project, "Hitpoint", color_of(FOLDER_COLOR), #missing > 0 and 1 or 0)
  end
  for index, track in ipairs(missing) do
    local media_track = new_track(project, track.name, color_of(track), index == #missing and -1 or 0)
    if reaper.GetExtState("Hitpoint", "sound") ~= "off" then
      reaper.TrackFX_AddByName(media_track, "ReaSynth", false, -1) -- heard at once; every REAPER has it
    end
    new_item(project, media_track, job, answer, track, first, first, keep_tempo)
  end
  return made
end

-- Takes what other scores have in the range out; their copies elsewhere stay. Returns the tracks by instrument (the mix
-- on them stays), and the scores of which no copy is left where they were made: their markers are taken out too.
local function take_out(project, jobs, range)
  local kept, gone = {}, {}
  for _, entry in ipairs(score.items(project)) do
    if jobs[entry.job] and entry.first < range.last - NEAR_S and entry.last > range.first + NEAR_S then
      gone[entry.job] = gone[entry.job] or math.abs(entry.shift) < NEAR_S or nil
      local media_track = reaper.GetMediaItem_Track(entry.item)
      kept[entry.instrument] = kept[entry.instrument] or media_track
      reaper.DeleteTrackMediaItem(media_track, entry.item)
    end
  end
  for job in pairs(gone) do
    place.remove_markers(project, job)
  end
  return kept, gone
end

-- The tempo map, unless `keep_tempo`, instead of that of the scores `gone`.
local function set_tempo(project, job, answer, keep_tempo, gone)
  if not keep_tempo then
    place.kept(project, function()
      for old in pairs(gone) do
        tempo.remove(project, old)
      end
      tempo.set(project, job, answer)
    end)
  end
end

local function add_markers(project, job, answer)
  for _, marker in ipairs(answer.marker) do
    local first, last, color = marker.first, marker.last, color_of(marker)
    reaper.AddProjectMarker2(project, marker.is_region == 1, first, last, marker.text, -1, color)
  end
  place.remember_markers(project, job, answer.marker)
  reaper.SetProjExtState(project, "Hitpoint", "job", job)
end

-- The score's tracks and items, the tempo map (unless `keep_tempo`), markers and regions. replaced: the scores (set of
-- jobs) in whose place it comes; nil for none.
function score.insert(project, job, answer, keep_tempo, replaced)
  local kept, gone = take_out(project, replaced or {}, answer.range[1])
  set_tempo(project, job, answer, keep_tempo, gone)
  local folder, _, one = add_tracks(project, job, answer, kept, keep_tempo), next(kept)
  load("duck").draw(project, job, folder or one and load("duck").folder_of(one), answer.duck, next(gone))
  add_markers(project, job, answer)
end

local function takes_key(job)
  return "takes-" .. job
end

local function check_there(project, entries)
  assert(#entries > 0, "its items are no longer in the project")
  for _, entry in ipairs(entries) do
    assert(reaper.ValidatePtr2(project, entry.take, "MediaItem_Take*"), "its items are no longer in the project")
  end
end

local function check_same(entry)
  local _, now = reaper.MIDI_GetAllEvts(entry.take, "")
  assert(now == entry.notes, "its notes were changed meanwhile")
end

-- Where a second from the old score's start lies in the new one.
local function edge(stay, second)
  if second <= stay.head + NEAR_S then
    return second
  elseif second >= stay.old_tail - NEAR_S then
    return second + stay.new_tail - stay.old_tail
  end
  return math.min(second, math.max(stay.head, stay.new_tail))
end

-- The item of `entry` where the changed edit has it, with `notes`; all else of it stays as it is.
local function rework_item(project, job, answer, entry, notes, keep_tempo)
  local stay, made_at = answer.stay[1], answer.range[1].first
  local origin = made_at + entry.shift
  local first, last = edge(stay, entry.trim), edge(stay, entry.trim + entry.last - entry.first)
  if last - first < NEAR_S then
    return reaper.DeleteTrackMediaItem(reaper.GetMediaItem_Track(entry.item), entry.item)
  end
  reaper.SetMediaItemTakeInfo_Value(entry.take, "D_STARTOFFS", first)
  reaper.SetMediaItemInfo_Value(entry.item, "D_POSITION", origin + first)
  reaper.SetMediaItemInfo_Value(entry.item, "D_LENGTH", last - first)
  tag(entry.take, ("%s|%s|%d|%.9f"):format(job, entry.instrument, answer.take[1].number, made_at))
  set_notes(entry.take, notes_of.for_take(project, entry.take, answer, { notes = notes }, origin, keep_tempo))
  reaper.MIDI_Sort(entry.take)
end

-- The score of a changed edit in place of that of `entries`: only what has changed is written anew, and the user's edits,
-- items and mix stay. keep_tempo as in `insert`. An answer that cannot tell what stays replaces the whole score.
function score.rework(project, job, answer, keep_tempo, entries)
  check_there(project, entries)
  local gone, has_item = { [entries[1].job] = true }, {}
  if not answer.stay or #answer.notes ~= #entries then
    return score.insert(project, job, answer, keep_tempo, gone)
  end
  for _, entry in ipairs(entries) do
    check_same(entry)
    has_item[entry.instrument] = true
  end
  place.remove_markers(project, entries[1].job)
  set_tempo(project, job, answer, keep_tempo, gone)
  for index, entry in ipairs(entries) do
    rework_item(project, job, answer, entry, answer.notes[index].notes, keep_tempo)
  end
  for index = #answer.track, 1, -1 do
    if has_item[answer.track[index].name] then
      table.remove(answer.track, index)
    end
  end
  if #answer.track > 0 then
    add_tracks(project, job, answer, {}, keep_tempo)
  end
  for _, point in ipairs(answer.duck) do
    point.time = point.time + entries[1].shift
  end
  local folder = load("duck").folder_of(reaper.GetMediaItem_Track(entries[1].item))
  load("duck").draw(project, job, folder, answer.duck, entries[1].job)
  add_markers(project, job, answer)
  reaper.SetProjExtState(project, "Hitpoint", takes_key(job), tostring(answer.take[1].number + 1))
end

-- Every item whose active take is one of Hitpoint's: { item, take, job, instrument, number, selected, first, last,
-- trim, shift }. trim: seconds cut off at its left edge; shift: seconds by which it was moved since it was made.
function score.items(project)
  local found = {}
  for index = 0, reaper.CountMediaItems(project) - 1 do
    local item = reaper.GetMediaItem(project, index)
    local take = reaper.GetActiveTake(item)
    local job, instrument, take_number, made_at = (take and tag(take) or ""):match("^([^|]+)|([^|]+)|(%d+)|([%d.-]+)$")
    if job then
      local entry = { item = item, take = take, job = job, instrument = instrument, number = tonumber(take_number) }
      entry.first = reaper.GetMediaItemInfo_Value(item, "D_POSITION")
      entry.last = entry.first + reaper.GetMediaItemInfo_Value(item, "D_LENGTH")
      entry.trim = reaper.GetMediaItemTakeInfo_Value(take, "D_STARTOFFS")
      entry.shift = entry.first - entry.trim - tonumber(made_at)
      entry.selected = reaper.GetMediaItemInfo_Value(item, "B_UISEL") ~= 0
      found[#found + 1] = entry
    end
  end
  return found
end

-- The scores (set of jobs) that have items between two seconds; nil where there are none.
function score.between(project, first, last)
  local found
  for _, entry in ipairs(score.items(project)) do
    if entry.first < last - NEAR_S and entry.last > first + NEAR_S then
      found = found or {}
      found[entry.job] = true
    end
  end
  return found
end

-- One copy's entries: of an instrument that has several items, the one whose shift is nearest to that of `meant`.
local function of_one_copy(entries, meant)
  local nearest, own = {}, {}
  for _, entry in ipairs(entries) do
    local other = nearest[entry.instrument]
    if not other or math.abs(entry.shift - meant.shift) < math.abs(other.shift - meant.shift) then
      nearest[entry.instrument] = entry
    end
  end
  for _, entry in ipairs(entries) do
    -- Pieces of a cut item lie at one shift and belong together; so do the items of one copy that were nudged.
    local near = math.abs(entry.shift - nearest[entry.instrument].shift) < NEAR_S
    own[#own + 1] = near and entry or nil
  end
  return own
end

-- The score meant (that of the selected item, else the project's latest) and its entries; of a score that was copied,
-- those of the copy with the selected item, else of the one that is still where it was made. Nil where there is none.
function score.current(project)
  local _, job = reaper.GetProjExtState(project, "Hitpoint", "job")
  local entries, own, meant = score.items(project), {}, { shift = 0 }
  for index = #entries, 1, -1 do
    if entries[index].selected then
      job, meant = entries[index].job, entries[index]
    end
  end
  for _, entry in ipairs(entries) do
    own[#own + 1] = entry.job == job and entry or nil
  end
  return job ~= "" and job or nil, of_one_copy(own, meant)
end

-- How many takes of a score the project has been given.
function score.takes(project, job)
  local _, takes = reaper.GetProjExtState(project, "Hitpoint", takes_key(job))
  return math.tointeger(tonumber(takes)) or 1
end

-- Puts the only take of `added` into `item` as its active take.
local function implode(project, item, added)
  local tagged = tag(reaper.GetActiveTake(added))
  reaper.Main_OnCommand(UNSELECT_ALL_ITEMS, 0)
  reaper.SetMediaItemInfo_Value(item, "B_UISEL", 1)
  reaper.SetMediaItemInfo_Value(added, "B_UISEL", 1)
  reaper.Main_OnCommand(IMPLODE_INTO_TAKES, 0)
  local merged = reaper.GetSelectedMediaItem(project, 0)
  for index = 0, reaper.CountTakes(merged) - 1 do
    local take = reaper.GetMediaItemTake(merged, index)
    if take and tag(take) == tagged then
      reaper.SetActiveTake(take)
    end
  end
end

-- The answer as one more take of each of `entries`, made the active one.
function score.add_take(project, job, answer, entries)
  check_there(project, entries)
  local selected = {}
  for index = 0, reaper.CountSelectedMediaItems(project) - 1 do
    selected[#selected + 1] = reaper.GetSelectedMediaItem(project, index)
  end
  for _, entry in ipairs(entries) do
    for _, track in ipairs(answer.track) do
      if track.name == entry.instrument then
        local media_track = reaper.GetMediaItem_Track(entry.item)
        local origin = entry.first - entry.trim
        local added, take = new_item(project, media_track, job, answer, track, origin, origin - entry.shift, true)
        reaper.SetMediaItemTakeInfo_Value(take, "D_STARTOFFS", entry.trim)
        reaper.SetMediaItemInfo_Value(added, "D_POSITION", entry.first)
        reaper.SetMediaItemInfo_Value(added, "D_LENGTH", entry.last - entry.first)
        implode(project, entry.item, added)
      end
    end
  end
  reaper.Main_OnCommand(UNSELECT_ALL_ITEMS, 0)
  for _, item in ipairs(selected) do
    if reaper.ValidatePtr2(project, item, "MediaItem*") then
      reaper.SetMediaItemInfo_Value(item, "B_UISEL", 1)
    end
  end
  reaper.SetProjExtState(project, "Hitpoint", takes_key(job), tostring(answer.take[1].number + 1))
end

-- The row of a take whose notes are to be changed; what it holds is kept in `entry`, to see whether it changes meanwhile.
function score.notes_row(project, entry)
  local ok, notes = reaper.MIDI_GetAllEvts(entry.take, "")
  entry.notes = ok and notes or ""
  local ppq, base = notes_of.ppq_of(entry.take, reaper.TimeMap2_timeToQN(project, entry.first - entry.trim))
  return { "notes", entry.instrument, entry.shift, ppq, base, entry.notes }
end

-- The answer's notes in place of those of `entries`.
function score.replace(project, _, answer, entries)
  check_there(project, entries)
  for index, entry in ipairs(entries) do
    check_same(entry)
    set_notes(entry.take, answer.notes[index].notes)
    reaper.MIDI_Sort(entry.take)
  end
end

return score
