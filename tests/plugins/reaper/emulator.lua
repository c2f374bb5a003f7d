-- REAPER, emulated for tests: ReaScript's functions with strict names, counts and types, over a model of projects.
-- Run as: lua5.4 emulator.lua FOLDER RESOURCE_PATH. Reads chunks of Lua from standard input ("LENGTH\nCODE") and
-- answers each with one line: "ok JSON" or "error TEXT". The chunks see `emu`.

local here, resource_path = arg[1], arg[2]
local signatures = dofile(here .. "/signatures.lua")
local Project = dofile(here .. "/project.lua")
local write_rpp = dofile(here .. "/rpp.lua")

local emu = {
  now = 1000.0, projects = {}, current = nil, messages = {}, buttons = {}, inputs = {}, exec = {}, console = {},
  ext = {}, deferred = {}, exits = {}, crashes = {}, cycle_s = {}, own_s = {}, api_s = 0, gfx_key = 0, gfx_text = "", gfx_open = false,
  toggles = {}, ppq = 960, version = "7.0/emulated", signature_moves_s = 0, playing = 0, position = 0.0, playrate = 1.0, repeating = 0, refresh = 0, calls = {}, registered = {},
}

-- Pointers: one table for each object, so that equality works as with REAPER's own.
local pointers = setmetatable({}, { __mode = "v" })
local function pointer(project, object)
  local key = project.name .. "/" .. object.id
  local made = pointers[key]
  if not made then
    made = setmetatable({ project = project, id = object.id, kind = object.kind }, { __name = object.kind })
    pointers[key] = made
  end
  return made
end

local function project_of(value)
  return (value == 0 or value == nil) and emu.current or value
end

local function get(value)
  return value.project:object(value.id)
end

function emu.new_project(name)
  local project = Project.new(name)
  project.kind = "ReaProject"
  emu.projects[#emu.projects + 1] = project
  emu.current = emu.current or project
  return project
end

-- A video item of `seconds` from `from` on, at `first`.
function emu.add_video(project, path, first, seconds, options)
  options = options or {}
  while options.track and #project.state.tracks < options.track do project:new_track(#project.state.tracks, "Film") end
  local track = options.track and project:object(project.state.tracks[options.track])
    or project.state.tracks[1] and project:object(project.state.tracks[1]) or project:new_track(0, "Film")
  local item = project:new_item(track, first, seconds)
  local source = project:new_source({ type = options.type or "VIDEO", file = path, length = options.file_s or 1000.0 })
  if options.section then
    local section = { type = "SECTION", file = "", parent = source.id, offset = options.section[1], length = options.section[2] }
    section.reversed = options.reversed or false
    source = project:new_source(section)
  end
  local take = project:new_take(item, source)
  take.D_STARTOFFS, take.D_PLAYRATE = options.from or 0, options.rate or 1
  item.B_UISEL = options.selected == false and 0 or 1
  for name, value in pairs(options.values or {}) do item[name] = value end
  item.chunk = options.chunk
  item.B_LOOPSRC = options.loop == false and 0 or 1
  return item
end

local api = {}

function api.AddProjectMarker2(project, is_region, first, last, name, _, color)
  local markers = project_of(project).state.markers
  local id = 1
  for _, marker in ipairs(markers) do
    id = math.max(id, marker.id + 1)
  end
  table.insert(markers, { id = id, is_region = is_region, first = first, last = last, name = name, color = color })
  project_of(project):sort_markers()
  return id
end
function api.AddRemoveReaScript(add, section, path, commit)
  assert(add and section == 0 and api.file_exists(path), "no such script: " .. path)
  table.insert(emu.registered, { path, commit })
  return 50000 + #emu.registered
end
function api.ColorToNative(r, g, b) return b << 16 | g << 8 | r end
function api.CountMediaItems(project) return #project_of(project):items() end
local function selected(project)
  local list = {}
  for _, item in ipairs(project:items()) do
    if item.B_UISEL ~= 0 then list[#list + 1] = item end
  end
  return list
end
function api.CountSelectedMediaItems(project) return #selected(project_of(project)) end
function api.GetSelectedMediaItem(project, index)
  project = project_of(project)
  local item = selected(project)[index + 1]
  return item and pointer(project, item)
end
function api.CountTakes(item) return #get(item).takes end
function api.CountTempoTimeSigMarkers(project) return #project_of(project).state.tempo end
function api.CountTracks(project) return #project_of(project).state.tracks end
function api.CreateNewMIDIItemInProj(track, first, last)
  local project = track.project
  assert(last > first, "an item of no length")
  local item = project:new_item(get(track), first, last - first)
  local take = project:new_take(item, project:new_source({ type = "MIDI", file = "", length = last - first }))
  take.stop = math.floor((project:qn_at(last) - project:qn_at(first)) * emu.ppq + 0.5)
  return pointer(project, item)
end
function api.DeleteTempoTimeSigMarker(project, index)
  project = project_of(project)
  if not project.state.tempo[index + 1] then return false end
  project:change_tempo(function(tempo) table.remove(tempo, index + 1) end)
  return true
end
function api.EnumProjectMarkers3(project, index)
  local marker = project_of(project).state.markers[index + 1]
  if not marker then return 0, false, 0.0, 0.0, "", 0, 0 end
  return index + 1, marker.is_region, marker.first, marker.last, marker.name, marker.id, marker.color
end
function api.EnumProjects(index)
  local project = index == -1 and emu.current or emu.projects[index + 1]
  return project, project and project.name or ""
end
function api.ExecProcess(command, timeout)
  assert(timeout < 0, "ExecProcess would block REAPER")
  table.insert(emu.exec, command)
  return ""
end
function api.GetActiveTake(item)
  local object = get(item)
  local id = object.takes[object.active + 1]
  return id and pointer(item.project, item.project:object(id))
end
function api.GetCursorPositionEx(project) return project_of(project).state.cursor + 0.0 end
function api.GetExtState(section, key) return emu.ext[section .. "/" .. key] or "" end
function api.SetExtState(section, key, value) emu.ext[section .. "/" .. key] = value end
function api.GetMediaItem(project, index)
  project = project_of(project)
  local item = project:items()[index + 1]
  return item and pointer(project, item)
end
local ITEM = { B_MUTE = 1, C_LANEPLAYS = 1, I_CURTAKE = 1, D_FADEINLEN = 1, D_FADEINLEN_AUTO = 1, D_POSITION = 1, D_LENGTH = 1, B_LOOPSRC = 1, B_UISEL = 1, C_BEATATTACHMODE = 1 }
function api.GetMediaItemInfo_Value(item, name)
  assert(ITEM[name], "no item value " .. name)
  return (name == "I_CURTAKE" and get(item).active or get(item)[name]) + 0.0
end
function api.SetMediaItemInfo_Value(item, name, value)
  assert(ITEM[name], "no item value " .. name)
  get(item)[name] = value
  return true
end
function api.GetItemStateChunk(item) return true, get(item).chunk or "<ITEM\n<SOURCE VIDEO\n>\n>\n" end
function api.GetTrackStateChunk(track) return true, get(track).chunk or "<TRACK\n>\n" end
function api.SetTrackStateChunk(track, text)
  local object, points = get(track), {}
  assert(text:match("^<TRACK\n.*\n>\n$"), "a damaged chunk")
  for time, value, shape in text:gmatch("PT (%S+) (%S+) (%S+)\n") do
    points[#points + 1] = { time = tonumber(time), value = tonumber(value) }
    assert(shape == "0", "a line that is not straight")
  end
  object.chunk, object.points = text, points
  return true
end
function api.TrackFX_AddByName(track, name, input, instantiate)
  assert(not input and instantiate == -1)
  local object = get(track)
  object.fx = object.fx or {}
  table.insert(object.fx, name)
  return #object.fx - 1
end
function api.GetNumTakeMarkers(take) return #(get(take).markers or {}) end
function api.GetTakeMarker(take, index)
  local marker = (get(take).markers or {})[index + 1]
  if not marker then return -1.0, "", 0 end
  return marker.second + 0.0, marker.name, 0
end
function api.get_config_var_string(name)
  if name == "tempoenvtimelock" then return false, "" end
  assert(name == "projvidflags", "no such variable")
  return emu.video_flags ~= nil, emu.video_flags or ""
end
function api.GetParentTrack(track)
  local depth, parents = 0, {}
  for _, id in ipairs(track.project.state.tracks) do
    local object = track.project:object(id)
    if id == track.id then return parents[depth] and pointer(track.project, parents[depth]) end
    depth = depth + object.I_FOLDERDEPTH
    if object.I_FOLDERDEPTH > 0 then parents[depth] = object end
  end
end
function api.GetMediaItemTake(item, index)
  local id = get(item).takes[index + 1]
  return id and pointer(item.project, item.project:object(id))
end
function api.GetMediaItemTakeInfo_Value(take, name)
  assert(name == "D_STARTOFFS" or name == "D_PLAYRATE", "no take value " .. name)
  return get(take)[name] + 0.0
end
function api.SetMediaItemTakeInfo_Value(take, name, value)
  assert(name == "D_STARTOFFS", "no take value " .. name)
  get(take)[name] = value
  return true
end
function api.GetMediaItemTake_Source(take) return pointer(take.project, take.project:object(get(take).source)) end
function api.GetMediaItem_Track(item) return pointer(item.project, item.project:object(get(item).track)) end
function api.GetMediaSourceFileName(source) return get(source).file end
function api.GetMediaSourceLength(source) return get(source).length + 0.0, get(source).type == "MIDI" end
function api.GetMediaSourceParent(source)
  local parent = get(source).parent
  return parent and pointer(source.project, source.project:object(parent))
end
function api.GetMediaSourceType(source) return get(source).type end
function api.PCM_Source_GetSectionInfo(source)
  local object = get(source)
  if object.type ~= "SECTION" then return false, 0.0, 0.0, false end
  return true, object.offset + 0.0, object.length + 0.0, object.reversed
end
local TRACK = { B_MUTE = 1, I_FREEMODE = 1, IP_TRACKNUMBER = 1, C_BEATATTACHMODE = 1, I_FOLDERDEPTH = 1, I_CUSTOMCOLOR = 1 }
function api.GetMediaTrackInfo_Value(track, name)
  assert(TRACK[name], "no track value " .. name)
  if name == "IP_TRACKNUMBER" then
    for index, id in ipairs(track.project.state.tracks) do
      if id == track.id then return index + 0.0 end
    end
  end
  return get(track)[name] + 0.0
end
function api.SetMediaTrackInfo_Value(track, name, value)
  assert(TRACK[name], "no track value " .. name)
  get(track)[name] = value
  return true
end
function api.GetAppVersion() return emu.version end
function api.GetPlayPositionEx() return emu.position end
function api.GetPlayStateEx() return emu.playing end
function api.GetProjExtState(project, section, key)
  local value = project_of(project).state.ext[section .. "/" .. key]
  return value and 1 or 0, value or ""
end
function api.SetProjExtState(project, section, key, value)
  project_of(project).state.ext[section .. "/" .. key] = value
  return 1
end
function api.GetResourcePath() return resource_path end
local function set_string(object, name, value, set)
  local store, key = object, name
  if name:match("^P_EXT:") then
    store, key = object.ext, name
  else
    assert(name == "P_NAME", "no text " .. name)
  end
  if set then store[key] = value end
  return store[key] ~= nil, store[key] or ""
end
function api.GetSetMediaItemTakeInfo_String(take, name, value, set) return set_string(get(take), name, value, set) end
function api.GetSetMediaTrackInfo_String(track, name, value, set) return set_string(get(track), name, value, set) end
function api.GetSetRepeat(value)
  assert(value == -1, "only read here")
  return emu.repeating
end
function api.GetSet_LoopTimeRange2(project, set, loop, first, last)
  local state = project_of(project).state
  local name = loop and "loop" or "selection"
  if set then state[name] = { first, last } end
  return state[name][1] + 0.0, state[name][2] + 0.0
end
function api.GetTempoTimeSigMarker(project, index)
  local marker = project_of(project).state.tempo[index + 1]
  if not marker then return false, 0.0, 0, 0.0, 0.0, 0, 0, false end
  return true, marker.time, 0, 0.0, marker.bpm, marker.num, marker.den, marker.linear or false
end
function api.SetTempoTimeSigMarker(project, index, time, measure, beat, bpm, num, den, linear)
  assert(measure == -1 and beat == -1, "only markers by time are modelled")
  assert(bpm > 0 and (num == 0) == (den == 0), "not a tempo marker")
  if num > 0 then time = time + emu.signature_moves_s end -- as a REAPER might that wants whole measures
  project_of(project):change_tempo(function(tempo)
    if index >= 0 then table.remove(tempo, index + 1) end
    for place, marker in ipairs(tempo) do
      if math.abs(marker.time - time) < 1e-9 then table.remove(tempo, place) break end
    end
    table.insert(tempo, { time = time, bpm = bpm, num = num, den = den, linear = linear or nil })
  end)
  return true
end
-- Tempo markers' flags: &1 a time signature that begins a measure, &4 the measure before may be partial.
function api.GetSetTempoTimeSigMarkerFlag(project, index, flag, set)
  local marker = assert(project_of(project).state.tempo[index + 1], "no such tempo marker")
  if set then
    assert((flag & 1 == 1) == (marker.num > 0), "the flag and the time signature disagree")
    marker.partial = flag & 4 == 4
  end
  return (marker.num > 0 and 1 or 0) | (marker.partial and 4 or 0)
end
function api.APIExists(name) return signatures[name] ~= nil and name ~= emu.absent end
function api.TimeMap_GetTimeSigAtTime(project, time)
  project = project_of(project)
  local num, den, bpm = 4, 4, project.state.base_bpm
  for _, marker in ipairs(project.state.tempo) do
    if marker.time <= time then
      bpm = marker.bpm
      if marker.num > 0 then num, den = marker.num, marker.den end
    end
  end
  return num, den, bpm + 0.0
end
function api.TimeMap_curFrameRate(project) return project_of(project).state.fps + 0.0, false end
function api.TimeMap2_timeToQN(project, time) return project_of(project):qn_at(time) end
function api.GetTrack(project, index)
  project = project_of(project)
  local id = project.state.tracks[index + 1]
  return id and pointer(project, project:object(id))
end
function api.GetTrackMediaItem(track, index)
  local id = get(track).items[index + 1]
  return id and pointer(track.project, track.project:object(id))
end
function api.GetTrackNumMediaItems(track) return #get(track).items end
function api.GetUserInputs(_, count, captions, values)
  emu.captions = captions
  local names, separator = 0, captions:match("separator=(.)") or ","
  for caption in captions:gmatch("[^,]+") do
    if not caption:match("^%w+=") then names = names + 1 end
  end
  assert(count <= 16, "a box holds 16 fields")
  assert(names == count, names .. " captions for " .. count .. " fields")
  local _, given = values:gsub("%" .. separator, "")
  assert(given == count - 1, "default values do not fit the fields")
  local typed = table.remove(emu.inputs, 1)
  return typed ~= nil, typed or ""
end
function api.InsertTrackAtIndex(index) emu.current:new_track(index) end

-- MIDI: a take holds `events` { tick, flags, message } and `stop`, the tick of its end.

local function midi(take)
  local object = get(take)
  assert(take.project:object(object.source).type == "MIDI", "not a MIDI take")
  return object, take.project, take.project:object(object.item)
end
local function sorted_midi(take)
  local object = midi(take)
  assert(object.sorted, "a MIDI take is read before MIDI_Sort")
  return object
end
function api.MIDI_CountEvts(take)
  local object = sorted_midi(take)
  local notes = Project.notes(object)
  local others = #object.events - 2 * #notes
  return #object.events, #notes, others, 0
end
function api.MIDI_GetNote(take, index)
  local note = Project.notes(sorted_midi(take))[index + 1]
  if not note then return false, false, false, 0.0, 0.0, 0, 0, 0 end
  return true, false, false, note.start + 0.0, note.stop + 0.0, note.channel, note.pitch, note.velocity
end
function api.MIDI_GetPPQPosFromProjQN(take, qn)
  local object, project, item = midi(take)
  return (qn - project:qn_at(item.D_POSITION - object.D_STARTOFFS)) * emu.ppq
end
function api.MIDI_GetProjTimeFromPPQPos(take, ppq)
  local object, project, item = midi(take)
  return project:time_at(ppq / emu.ppq + project:qn_at(item.D_POSITION - object.D_STARTOFFS))
end
function api.MIDI_GetAllEvts(take)
  local object, parts, before = sorted_midi(take), {}, 0
  for _, event in ipairs(object.events) do
    parts[#parts + 1] = ("<i4Bs4"):pack(event[1] - before, event[2], event[3])
    before = event[1]
  end
  parts[#parts + 1] = ("<i4Bs4"):pack(math.max(object.stop - before, 0), 0, "\xB0\x7B\0")
  return true, table.concat(parts)
end
function api.MIDI_SetAllEvts(take, buffer)
  local object = midi(take)
  if emu.refuse_notes == "hard" then error("C:\\a b\\lib\\score.lua:12: a fault of its own", 0) end
  if emu.refuse_notes then return false end
  local events, place, now = {}, 1, 0
  while place <= #buffer do
    local offset, flags, message, following = ("<i4Bs4"):unpack(buffer, place)
    assert(offset >= 0, "MIDI messages out of order")
    now, place = now + offset, following
    events[#events + 1] = { now, flags, message }
    local status, first, second = message:byte(1, 3)
    assert(#message == 3 and status >= 0x80 and first < 0x80 and second < 0x80, "a bad MIDI message")
  end
  local last = assert(table.remove(events), "no messages")
  assert(last[3]:byte(1) & 0xF0 == 0xB0 and last[3]:byte(2) == 0x7B, "the last message is not all notes off")
  object.events, object.stop, object.sorted = events, last[1], false
  Project.notes(object)
  return true
end
function api.MIDI_InsertCC(take, _, _, ppq, status, channel, first, second)
  assert(status & 0x0F == 0 and channel >= 0 and channel <= 15 and first <= 127 and second <= 127, "a bad MIDI message")
  local object = midi(take)
  table.insert(object.events, 1, { ppq, 0, string.char(status | channel, first, second) })
  object.sorted = false
  return true
end
function api.MIDI_Sort(take)
  local object = midi(take)
  local events = object.events
  for index, event in ipairs(events) do event.order = index end
  table.sort(events, function(a, b)
    if a[1] ~= b[1] then return a[1] < b[1] end
    return a.order < b.order
  end)
  object.sorted = true
end
function api.Main_OnCommand(command)
  if command == 40289 then
    for _, item in ipairs(emu.current:items()) do item.B_UISEL = 0 end
  elseif command == 40543 then
    emu.current:implode()
  else
    error("no action " .. command, 0)
  end
end
function api.SetActiveTake(take)
  local object = get(take)
  local item = take.project:object(object.item)
  for index, id in ipairs(item.takes) do
    if id == object.id then item.active = index - 1 end
  end
end
function api.Master_GetPlayRate() return emu.playrate end
function api.PreventUIRefresh(count) emu.refresh = emu.refresh + count end
function api.RecursiveCreateDirectory(path) return os.execute("mkdir -p '" .. path .. "' 2>/dev/null") and 1 or 0 end
function api.RefreshToolbar2() end
function api.SetProjectMarkerByIndex2(project, index, is_region, first, last, id, name, color)
  project = project_of(project)
  local marker = project.state.markers[index + 1]
  if not marker then return false end
  assert(marker.is_region == is_region, "a marker is no region")
  marker.first, marker.last, marker.id, marker.name, marker.color = first, last, id, name, color
  project:sort_markers()
  return true
end
function api.DeleteProjectMarkerByIndex(project, index)
  return table.remove(project_of(project).state.markers, index + 1) ~= nil
end
function api.DeleteTrackMediaItem(track, item)
  track.project:remove_item(get(item))
  return true
end
function api.GetMasterTrack(project)
  project = project_of(project)
  project.state.master = project.state.master or project:add("MediaTrack", { items = {}, C_BEATATTACHMODE = -1, points = {}, ext = {} }).id
  return pointer(project, project:object(project.state.master))
end
-- Envelopes: each track has one, of its volume; its points are the track's.
function api.CountTrackEnvelopes(track) return #get(track).points > 0 and 1 or 0 end
function api.GetTrackEnvelope(track, index)
  assert(index == 0)
  return { project = track.project, id = track.id, kind = "TrackEnvelope" }
end
function api.GetEnvelopeName() return true, "Volume" end
function api.CountEnvelopePoints(envelope) return #get(envelope).points end
function api.GetEnvelopePoint(envelope, index)
  local point = get(envelope).points[index + 1]
  return true, point.time, point.value, 0, 0.0, false
end
function api.SetEnvelopePoint(envelope, index, time)
  get(envelope).points[index + 1].time = time
  return true
end
function api.Envelope_SortPoints() return true end
function api.TimeMap2_QNToTime(project, qn) return project_of(project):time_at(qn) end
function api.SetProjectMarker3(project, id, is_region, first, last, name, color)
  for _, marker in ipairs(project_of(project).state.markers) do
    if marker.id == id and marker.is_region == is_region then
      marker.first, marker.last, marker.name, marker.color = first, last, name, color
      return true
    end
  end
  return false
end
function api.SetToggleCommandState(_, command, state) emu.toggles[command] = state return true end
function api.ShowConsoleMsg(text) table.insert(emu.console, text) end
function api.ShowMessageBox(text, title)
  assert(title == "Hitpoint", "a box without our name")
  table.insert(emu.messages, text)
  return table.remove(emu.buttons, 1) or 1
end
function api.Undo_BeginBlock2(project) project_of(project):begin_block() end
function api.Undo_EndBlock2(project, name) project_of(project):end_block(name) end
function api.Undo_CanUndo2(project)
  local undo = project_of(project).undo
  return #undo > 0 and undo[#undo].name or ""
end
function api.Undo_DoUndo2(project) return project_of(project):do_undo() end
function api.UpdateArrange() end
function api.UpdateTimeline() end
function api.ValidatePtr2(project, value, kind)
  if kind == "ReaProject*" then
    for _, open in ipairs(emu.projects) do
      if open == value then return true end
    end
    return false
  end
  return kind == value.kind .. "*" and project_of(project).state.objects[value.id] ~= nil
end
function api.file_exists(path)
  local file = io.open(path, "rb")
  if file then file:close() end
  return file ~= nil
end
function api.time_precise() return emu.now end
function api.genGuid()
  return "{" .. ("XXXXXXXX-XXXX-4XXX-8XXX-XXXXXXXXXXXX"):gsub("X", function()
    return ("%X"):format(math.random(0, 15))
  end) .. "}"
end

-- Strictness.

local function fits(value, kind)
  if kind == "ReaProject" then
    return value == 0 or value == nil or (type(value) == "table" and value.kind == kind)
  elseif kind == "identifier" then
    return type(value) == "table"
  elseif kind == "integer" then
    return type(value) == "number" and math.tointeger(value) ~= nil
  elseif kind == "number" or kind == "string" or kind == "boolean" or kind == "function" then
    return type(value) == kind
  end
  return type(value) == "table" and value.kind == kind
end

local function strict(name, action)
  local row = assert(signatures[name], "the emulator knows no signature of " .. name)
  local function checked(...)
    emu.calls[name] = (emu.calls[name] or 0) + 1
    local given = select("#", ...)
    if given > #row.arguments then
      error(("%s takes %d arguments, not %d"):format(name, #row.arguments, given), 0)
    end
    for index, kind in ipairs(row.arguments) do
      local value, optional = select(index, ...), kind:match("%?$")
      local absent = index > given or (value == nil and kind ~= "ReaProject")
      if absent and not optional then
        error(("%s: argument %d (%s) is missing"):format(name, index, kind), 0)
      elseif not absent and not fits(value, (kind:gsub("%?$", ""))) then
        error(("%s: argument %d must be %s, not %s"):format(name, index, kind, tostring(value)), 0)
      end
    end
    return action(...)
  end
  return function(...) -- with the time that the emulation takes, which is not REAPER's
    local started = os.clock()
    local results = table.pack(pcall(checked, ...))
    emu.api_s = emu.api_s + os.clock() - started
    if not results[1] then
      error(results[2], 2)
    end
    return table.unpack(results, 2, results.n)
  end
end

local function closed(name, members)
  return setmetatable({}, {
    __index = function(_, key)
      local member = members[key]
      if member == nil then error(("%s.%s does not exist"):format(name, tostring(key)), 2) end
      return member
    end,
    __newindex = function(_, key, value)
      if name ~= "gfx" then error(name .. " is not to be written", 2) end
      members[key] = value
    end,
  })
end

-- A script, as REAPER runs one: an environment of its own, deferred functions, what it leaves to do at its end.
function emu.run(path, command)
  command = command or 50000
  for index, script in ipairs(emu.exits) do
    if script.path == path and script.terminate then
      table.remove(emu.exits, index)
      script.dead = true
      return script.at_exit and script.at_exit()
    end
  end
  local script = { path = path, pending = 0 }
  local members = {}
  for name, action in pairs(api) do
    members[name] = strict(name, action)
  end
  members.defer = strict("defer", function(callback)
    script.pending = script.pending + 1
    table.insert(emu.deferred, { script = script, callback = callback })
    return true
  end)
  members.atexit = strict("atexit", function(callback) script.at_exit = callback end)
  members.set_action_options = strict("set_action_options", function(flags) script.terminate = flags & 1 == 1 end)
  members.get_action_context = strict("get_action_context", function()
    return false, path, 0, command, -1, -1, -1, ""
  end)
  local gfx = { w = 380, h = 80, x = 0, y = 0 }
  function gfx.init() emu.gfx_open = true end
  function gfx.set() end
  function gfx.rect() end
  function gfx.drawstr(text) emu.gfx_text = text end
  function gfx.update() end
  function gfx.getchar() return emu.gfx_key end
  function gfx.quit() emu.gfx_open = false end
  local env = { reaper = closed("reaper", members), gfx = closed("gfx", gfx) }
  env.math = setmetatable({}, { __index = math })
  function env.math.tointeger(value) -- as before Lua 5.4.3: a text is no number
    return type(value) == "number" and math.tointeger(value) or nil
  end
  function env.loadfile(file) return loadfile(file, "t", env) end
  function env.dofile(file) return assert(loadfile(file, "t", env))() end
  setmetatable(env, {
    __index = function(_, key)
      local value = _G[key]
      if value == nil then error("the global " .. tostring(key) .. " does not exist", 2) end
      return value
    end,
    __newindex = function(_, key) error("a script writes the global " .. tostring(key), 2) end,
  })
  table.insert(emu.exits, script)
  emu.call(script, assert(loadfile(path, "t", env)))
end

function emu.call(script, callback)
  emu.api_s = 0
  local started = os.clock()
  local ok, problem = xpcall(callback, debug.traceback)
  local took_s = os.clock() - started
  table.insert(emu.cycle_s, took_s)
  table.insert(emu.own_s, took_s - emu.api_s)
  if not ok then
    table.insert(emu.crashes, problem)
  end
  if script.pending == 0 then
    for index, other in ipairs(emu.exits) do
      if other == script then table.remove(emu.exits, index) break end
    end
    if script.at_exit then script.at_exit() end
  end
end

-- `count` defer cycles of REAPER, a thirtieth of a second of the fake clock each. Returns how many functions wait.
function emu.step(count)
  for _ = 1, count do
    emu.now = emu.now + 1 / 30
    if emu.playing & 1 == 1 then emu.position = emu.position + emu.playrate / 30 end
    local waiting = emu.deferred
    emu.deferred = {}
    for _, entry in ipairs(waiting) do
      if not entry.script.dead then
        entry.script.pending = entry.script.pending - 1
        emu.call(entry.script, entry.callback)
      end
    end
  end
  return #emu.deferred
end

function emu.rpp(project)
  project = project or emu.current
  project.ppq = emu.ppq
  return write_rpp(project)
end

-- Everything of a project that the user sees, as one text, to compare before and after.
local function describe(value, out)
  if type(value) ~= "table" then
    local text = tostring(value)
    out[#out + 1] = utf8.len(text) and text or text:gsub(".", function(char) return ("%02x"):format(char:byte()) end)
    return
  end
  local keys = {}
  for key in pairs(value) do keys[#keys + 1] = key end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  for _, key in ipairs(keys) do
    out[#out + 1] = tostring(key) .. "="
    describe(value[key], out)
    out[#out + 1] = ";"
  end
end
function emu.fingerprint(project)
  local out = {}
  describe((project or emu.current).state, out)
  return table.concat(out)
end

local function json(value)
  if type(value) == "table" then
    local parts = {}
    if #value > 0 or next(value) == nil then
      for _, inner in ipairs(value) do parts[#parts + 1] = json(inner) end
      return "[" .. table.concat(parts, ",") .. "]"
    end
    for key, inner in pairs(value) do parts[#parts + 1] = json(tostring(key)) .. ":" .. json(inner) end
    return "{" .. table.concat(parts, ",") .. "}"
  elseif type(value) == "string" then
    return '"' .. value:gsub('[%c"\\]', function(char) return ("\\u%04x"):format(char:byte()) end) .. '"'
  elseif type(value) == "number" then
    return math.type(value) == "integer" and tostring(value) or ("%.17g"):format(value)
  end
  return value == nil and "null" or tostring(value)
end

setmetatable(_G, { __index = { emu = emu } })
emu.new_project("first")
io.stdout:setvbuf("line")
while true do
  local length = io.read("l")
  if not length then break end
  local code = io.read(math.tointeger(tonumber(length)))
  local chunk, problem = load(code, "=test", "t")
  local ok, result = pcall(chunk or error, chunk and nil or problem)
  print((ok and "ok " or "error ") .. (ok and json(result) or json(tostring(result))))
end
