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
  return { "item", path, kind, position, length, offset, rate, whole, section_start, loops, reversed, track, fade }
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
  return rows
end

-- The rows of all items in the time selection, or nil and a sentence.
function picture.between(project)
  local first, last = reaper.GetSet_LoopTimeRange2(project, false, false, 0, 0, false)
  if last <= first then
    return nil, "There is no time selection; drag over the part of the film to score and run the action again."
  end
  local rows = { { "between", first, last } }
  for index = 0, reaper.CountMediaItems(project) - 1 do
    local item = reaper.GetMediaItem(project, index)
    local start = reaper.GetMediaItemInfo_Value(item, "D_POSITION")
    if start < last and start + reaper.GetMediaItemInfo_Value(item, "D_LENGTH") > first then
      rows[#rows + 1] = row_of(item)
    end
  end
  add_order(rows)
  return rows
end

return picture
