-- A model of a REAPER project for the emulator: tracks, items, takes, sources, tempo map, markers, undo.
-- The state is plain data, so that an undo point is a copy; objects are told apart by their number.

local project = {}
project.__index = project

local function copy(value)
  if type(value) ~= "table" then
    return value
  end
  local made = {}
  for key, inner in pairs(value) do
    made[key] = copy(inner)
  end
  return made
end
project.copy = copy

function project.new(name)
  local state = {
    objects = {}, tracks = {}, tempo = {}, markers = {}, ext = {}, base_bpm = 120, fps = 24,
    selection = { 0, 0 }, loop = { 0, 0 }, cursor = 0,
  }
  return setmetatable({ name = name, state = state, undo = {}, next_id = 0, open = 0 }, project)
end

function project:object(id)
  local object = self.state.objects[id]
  if not object then
    error("a pointer to an object that no longer exists", 0)
  end
  return object
end

function project:add(kind, fields)
  self.next_id = self.next_id + 1
  fields.kind, fields.id = kind, self.next_id
  self.state.objects[fields.id] = fields
  return fields
end

-- Tempo: markers hold time, bpm, num, den; constant between markers, base_bpm before the first.

function project:segments()
  local list = { { time = 0, bpm = self.state.base_bpm, qn = 0, slope = 0 } }
  for _, marker in ipairs(self.state.tempo) do
    local before = list[#list]
    local length = marker.time - before.time
    before.slope = before.linear and length > 0 and (marker.bpm - before.bpm) / length or 0
    local made = { time = marker.time, bpm = marker.bpm, linear = marker.linear, slope = 0 }
    made.qn = before.qn + (before.bpm * length + before.slope * length * length / 2) / 60
    if marker.time <= 0 then
      made.time, made.qn, list[1] = 0, 0, made
    else
      list[#list + 1] = made
    end
  end
  list[#list].slope = 0
  return list
end

function project:qn_at(time)
  local found
  for _, segment in ipairs(self:segments()) do
    if not found or segment.time <= time then
      found = segment
    end
  end
  local within = time - found.time
  return found.qn + (within * found.bpm + found.slope * within * within / 2) / 60
end

function project:time_at(qn)
  local found
  for _, segment in ipairs(self:segments()) do
    if not found or segment.qn <= qn then
      found = segment
    end
  end
  local beats = (qn - found.qn) * 60
  if math.abs(found.slope) < 1e-12 then
    return found.time + beats / found.bpm
  end
  return found.time + 2 * beats / (found.bpm + math.sqrt(found.bpm ^ 2 + 2 * found.slope * beats))
end

-- Does `change` to the tempo and moves what is attached to beats, as REAPER does by default.
function project:change_tempo(change)
  local held = {}
  for _, object in pairs(self.state.objects) do
    if object.kind == "MediaItem" and object.C_BEATATTACHMODE ~= 0 then
      held[#held + 1] = { object, "D_POSITION", self:qn_at(object.D_POSITION) }
      held[#held + 1] = { object, "stop", self:qn_at(object.D_POSITION + object.D_LENGTH) }
    end
  end
  for _, object in pairs(self.state.objects) do
    if object.kind == "MediaTrack" and (object.C_BEATATTACHMODE ~= 0 or self.stubborn_envelopes) then
      for _, point in ipairs(object.points) do held[#held + 1] = { point, "time", self:qn_at(point.time) } end
    end
  end
  for _, marker in ipairs(self.state.markers) do
    held[#held + 1] = { marker, "first", self:qn_at(marker.first) }
    held[#held + 1] = { marker, "last", self:qn_at(marker.last) }
  end
  change(self.state.tempo)
  table.sort(self.state.tempo, function(a, b) return a.time < b.time end)
  for _, entry in ipairs(held) do
    local object, name, qn = table.unpack(entry)
    if name == "stop" then -- beats (position, length, rate)
      local length = self:time_at(qn) - object.D_POSITION
      for _, take in ipairs(object.takes) do
        self:object(take).D_PLAYRATE = self:object(take).D_PLAYRATE * object.D_LENGTH / length
      end
      object.D_LENGTH = length
    else
      object[name] = self:time_at(qn)
    end
  end
  self:sort_markers()
end

-- REAPER lists markers in order of time.
function project:sort_markers()
  for index, marker in ipairs(self.state.markers) do marker.order = index end
  table.sort(self.state.markers, function(a, b)
    if a.first ~= b.first then return a.first < b.first end
    return a.order < b.order
  end)
  for _, marker in ipairs(self.state.markers) do marker.order = nil end
end

-- Building blocks, also for the tests' own scenes.

function project:new_track(index, name)
  local track = self:add("MediaTrack", { items = {}, P_NAME = name or "", I_FOLDERDEPTH = 0, I_CUSTOMCOLOR = 0, B_MUTE = 0, I_FREEMODE = 0, C_BEATATTACHMODE = -1, points = {}, ext = {} })
  table.insert(self.state.tracks, index + 1, track.id)
  return track
end

function project:new_item(track, first, length)
  local item = self:add("MediaItem", {
    track = track.id, takes = {}, active = 0, D_POSITION = first, D_LENGTH = length, B_LOOPSRC = 1, B_UISEL = 0,
    C_BEATATTACHMODE = -1, B_MUTE = 0, C_LANEPLAYS = 0, D_FADEINLEN = 0.01, D_FADEINLEN_AUTO = 0,
  })
  table.insert(track.items, item.id)
  table.sort(track.items, function(a, b) return self:object(a).D_POSITION < self:object(b).D_POSITION end)
  return item
end

function project:new_take(item, source)
  local take = self:add("MediaItem_Take", {
    item = item.id, source = source.id, D_STARTOFFS = 0, D_PLAYRATE = 1, P_NAME = "", ext = {}, events = {}, stop = 0, sorted = true,
  })
  table.insert(item.takes, take.id)
  return take
end

-- The notes of a MIDI take, in the order in which they begin; every one must end, later than it begins.
function project.notes(take)
  local notes, sounding = {}, {}
  for _, event in ipairs(take.events) do
    local status, pitch, velocity = event[3]:byte(1, 3)
    local kind, channel = status & 0xF0, status & 0x0F
    local key = channel * 128 + pitch
    if kind == 0x90 and velocity > 0 then
      assert(not sounding[key], "a note begins while it sounds")
      local note = { start = event[1], channel = channel, pitch = pitch, velocity = velocity }
      notes[#notes + 1], sounding[key] = note, note
    elseif kind == 0x80 or kind == 0x90 then
      local note = assert(sounding[key], "a note ends that does not sound")
      assert(event[1] > note.start and event[1] <= take.stop, "a note of no length, or past the item's end")
      note.stop, sounding[key] = event[1], nil
    end
  end
  assert(not next(sounding), "a note does not end")
  return notes
end

function project:new_source(fields)
  return self:add("PCM_source", fields)
end

function project:items()
  local list = {}
  for _, track in ipairs(self.state.tracks) do
    for _, id in ipairs(self:object(track).items) do
      list[#list + 1] = self:object(id)
    end
  end
  return list
end

function project:remove_item(item)
  local track = self:object(item.track)
  for index, id in ipairs(track.items) do
    if id == item.id then
      table.remove(track.items, index)
    end
  end
  self.state.objects[item.id] = nil
end

-- "Take: Implode items on same track into takes": the first selected item of each track takes in the others.
function project:implode()
  for _, track_id in ipairs(self.state.tracks) do
    local track, first = self:object(track_id), nil
    for _, id in ipairs(copy(track.items)) do
      local item = self:object(id)
      if item.B_UISEL ~= 0 then
        if not first then
          first = item
        else
          for _, take in ipairs(item.takes) do
            self:object(take).item = first.id
            table.insert(first.takes, take)
          end
          self:remove_item(item)
        end
      end
    end
  end
end

function project:begin_block()
  if self.open > 0 then
    error("Undo_BeginBlock2 inside an open block", 0)
  end
  self.open, self.before = 1, copy(self.state)
end

function project:end_block(name)
  if self.open == 0 then
    error("Undo_EndBlock2 without Undo_BeginBlock2", 0)
  end
  self.open = 0
  table.insert(self.undo, { name = name, before = self.before })
end

function project:do_undo()
  local point = table.remove(self.undo)
  if not point then
    return 0
  end
  self.state = point.before
  return 1
end

return project
