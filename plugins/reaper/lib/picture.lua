-- What lies on the timeline, as the bridge wants to know it; what of it is a film, and which part, the bridge decides.
-- @noindex

local picture = {}

local FIXED_LANES, HIGHER_TRACKS_COVER = 2, 256

local function is_muted(item, track)
  while track do
    if reaper.GetMediaTrackInfo_Value(track, "B_MUTE") ~= 0 then
      return true
    end
    track = reaper.GetParentTrack(track)
  end
  return reaper.GetMediaItemInfo_Value(item, "B_MUTE") ~= 0
end

-- Whether the item shows nothing: it or its track is muted, it lies in a lane that does not play, or the picture of
-- its active take is switched off.
local function is_off(item, kind)
  local track = reaper.GetMediaItem_Track(item)
  if is_muted(item, track) then
    return true
  elseif reaper.GetMediaTrackInfo_Value(track, "I_FREEMODE") == FIXED_LANES
    and reaper.GetMediaItemInfo_Value(item, "C_LANEPLAYS") == 0 then
    return true
  elseif kind ~= "VIDEO" then
    return false
  end
  local _, chunk = reaper.GetItemStateChunk(item, "", false)
  local wanted, index = reaper.GetMediaItemInfo_Value(item, "I_CURTAKE"), 0
  for line in chunk:gmatch("[^\r\n]+") do
    index = index + (line:match("^%s*TAKE%f[%s\0]") and 1 or 0)
    if index == wanted and line:match("^%s*VIDEO_DISABLED") then
      return true
    end
  end
  return false
end

-- The code of the video processors in a chunk, in which it stands line by line after a bar.
local function video_code(chunk)
  local lines, inside = {}, false
  for line in chunk:gmatch("[^\r\n]+") do
    inside = inside or line:match("^%s*<VIDEO_EFFECT") ~= nil
    lines[#lines + 1] = inside and line:match("^%s*|(.*)") or nil
  end
  return table.concat(lines, " ")
end

local function add_word(rows, name, moment)
  local word = name:lower():match("^%s*(.-)%s*$")
  if word == "hit" or word == "hit!" then
    rows[#rows + 1] = { "hit", moment, word == "hit!" and 1 or 0 }
  elseif word == "no" then
    rows[#rows + 1] = { "unhit", moment }
  end
end

-- The editor's own word: markers of the project and of the film's takes that are named hit, hit! or no.
local function add_own_hits(project, rows, first, last)
  local index = 0
  repeat
    local following, is_region, moment, _, name = reaper.EnumProjectMarkers3(project, index)
    if following > 0 and not is_region and moment >= first and moment < last then
      add_word(rows, name, moment)
    end
    index = index + 1
  until following == 0
  for index = 0, reaper.APIExists("GetTakeMarker") and reaper.CountMediaItems(project) - 1 or -1 do
    local item = reaper.GetMediaItem(project, index)
    local take, start = reaper.GetActiveTake(item), reaper.GetMediaItemInfo_Value(item, "D_POSITION")
    local length = reaper.GetMediaItemInfo_Value(item, "D_LENGTH")
    for number = 0, take and reaper.GetNumTakeMarkers(take) - 1 or -1 do
      local second, name = reaper.GetTakeMarker(take, number)
      local offset = reaper.GetMediaItemTakeInfo_Value(take, "D_STARTOFFS")
      local moment = start + (second - offset) / reaper.GetMediaItemTakeInfo_Value(take, "D_PLAYRATE")
      if moment >= math.max(first, start) and moment < math.min(last, start + length) then
        add_word(rows, name, moment)
      end
    end
  end
end

-- The row that says that higher numbered tracks cover lower ones, where the project's video settings say so.
local function add_order(rows)
  local ok, flags = false, ""
  if reaper.APIExists("get_config_var_string") then
    ok, flags = reaper.get_config_var_string("projvidflags")
  end
  if ok and (math.tointeger(tonumber(flags)) or 0) & HIGHER_TRACKS_COVER ~= 0 then
    rows[#rows + 1] = { "order", "higher" }
  end
end

-- The row of one item (the fields: bridge/hosts/reaper/clips.py); nil for an item that shows nothing.
local function row_of(item)
  local take = reaper.GetActiveTake(item)
  local source = take and reaper.GetMediaItemTake_Source(take)
  if not source then
    return nil
  end
  local whole, section_start, reversed = reaper.GetMediaSourceLength(source), 0.0, 0
  local parent = reaper.GetMediaSourceParent(source)
  while parent do -- a section begins later than its file
    local is_section, start, _, backwards = reaper.PCM_Source_GetSectionInfo(source)
    if is_section then
      section_start, reversed = section_start + start, backwards and 1 or reversed
    end
    source, parent = parent, reaper.GetMediaSourceParent(parent)
  end
  local position = reaper.GetMediaItemInfo_Value(item, "D_POSITION")
  local length = reaper.GetMediaItemInfo_Value(item, "D_LENGTH")
  local offset = reaper.GetMediaItemTakeInfo_Value(take, "D_STARTOFFS")
  local rate = reaper.GetMediaItemTakeInfo_Value(take, "D_PLAYRATE")
  local path, kind = reaper.GetMediaSourceFileName(source), reaper.GetMediaSourceType(source)
  if is_off(item, kind) then
    return nil
  end
  local fade = reaper.GetMediaItemInfo_Value(item, "D_FADEINLEN")
  fade = math.max(fade, reaper.GetMediaItemInfo_Value(item, "D_FADEINLEN_AUTO"))
  local track = math.floor(reaper.GetMediaTrackInfo_Value(reaper.GetMediaItem_Track(item), "IP_TRACKNUMBER"))
  local loops = reaper.GetMediaItemInfo_Value(item, "B_LOOPSRC")
  local _, chunk = reaper.GetItemStateChunk(item, "", false)
  local _, track_chunk = reaper.GetTrackStateChunk(reaper.GetMediaItem_Track(item), "", false)
  local code = video_code(chunk) .. video_code(track_chunk:match("<FXCHAIN.*") or "")
  return { "item", path, kind, position, length, offset, rate, whole, section_start, loops, reversed, track, fade, code }
end

-- The rows of the selected items, or nil and a sentence.
function picture.selected(project)
  local rows = {}
  for index = 0, reaper.CountSelectedMediaItems(project) - 1 do
    rows[#rows + 1] = row_of(reaper.GetSelectedMediaItem(project, index))
  end
  if reaper.CountSelectedMediaItems(project) == 0 then
    return nil, "No item is selected; select the video items to score and run the action again."
  end
  add_order(rows)
  local first, last = math.huge, -math.huge
  for _, row in ipairs(rows) do
    if row[1] == "item" then
      first, last = math.min(first, row[4]), math.max(last, row[4] + row[5])
    end
  end
  add_own_hits(project, rows, first, last)
  return rows
end

-- The rows of all items in the time selection, or nil and a sentence.
function picture.between(project)
  local first, last = reaper.GetSet_LoopTimeRange2(project, false, false, 0, 0, false)
  if last <= first then
    return nil, "There is no time selection; drag over the part of the film to score and run the action again."
  end
  return picture.within(project, first, last)
end

-- Where the picture ends that runs on from `first`; `last` where none does.
function picture.end_of(project, first, last)
  local edges = {}
  for index = 0, reaper.CountMediaItems(project) - 1 do
    local item = reaper.GetMediaItem(project, index)
    local row = row_of(item)
    if row and row[3] == "VIDEO" and row[4] + row[5] > first then
      edges[#edges + 1] = row
    end
  end
  table.sort(edges, function(a, b)
    return a[4] < b[4]
  end)
  local shown = first
  for _, row in ipairs(edges) do
    if row[4] > shown + 0.001 then
      break
    end
    shown = math.max(shown, row[4] + row[5])
  end
  return shown > first and shown or last
end

-- The rows of all items between two seconds.
function picture.within(project, first, last)
  local rows = { { "between", first, last } }
  for index = 0, reaper.CountMediaItems(project) - 1 do
    local item = reaper.GetMediaItem(project, index)
    local start = reaper.GetMediaItemInfo_Value(item, "D_POSITION")
    if start < last and start + reaper.GetMediaItemInfo_Value(item, "D_LENGTH") > first then
      rows[#rows + 1] = row_of(item)
    end
  end
  add_order(rows)
  add_own_hits(project, rows, first, last)
  return rows
end

return picture
