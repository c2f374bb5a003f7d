-- What of the film lies on the timeline: video items of the project as clips.
-- A clip: path, start (project seconds), length (project seconds), from (seconds of the file), rate.
-- @noindex

local picture = {}

local SHORTEST_S = 0.001
local SMALLEST_GAP_S = 0.1 -- a smaller one is rounding: the clip before it is shown that much longer

local function sorted(clips)
  table.sort(clips, function(a, b)
    return a.start < b.start
  end)
  for index = 1, #clips - 1 do -- where items overlap, the later one is seen
    local clip, following = clips[index], clips[index + 1]
    clip.length = math.min(clip.length, following.start - clip.start)
  end
  local kept = {}
  for _, clip in ipairs(clips) do
    if clip.length >= SHORTEST_S then
      kept[#kept + 1] = clip
    end
  end
  return kept
end

-- The clips, if they follow each other; else nil and a sentence.
local function joined(clips)
  for index = 1, #clips - 1 do
    local clip, following = clips[index], clips[index + 1]
    local stop = clip.start + clip.length
    if following.start - stop > SMALLEST_GAP_S then
      return nil, ("There is no picture from %.2f to %.2f s; close the gap, or score the parts one by one."):format(
        stop, following.start)
    end
    clip.length = following.start - clip.start
  end
  return clips
end

-- The file behind a source, and the second of it at which the source begins (a section begins later than its file).
local function root_of(source)
  local offset = 0
  local parent = reaper.GetMediaSourceParent(source)
  while parent do
    local is_section, section_start, _, reversed = reaper.PCM_Source_GetSectionInfo(source)
    if is_section and reversed then
      return nil, "A selected item plays backwards; Hitpoint reads films forwards only, so undo its reversal."
    end
    offset = offset + (is_section and section_start or 0)
    source, parent = parent, reaper.GetMediaSourceParent(parent)
  end
  return source, offset
end

-- Adds the clips of one item, one for each time its source plays through. Returns false for an item without picture.
local function add_item(item, clips)
  local take = reaper.GetActiveTake(item)
  local source = take and reaper.GetMediaItemTake_Source(take)
  if not source then
    return false
  end
  local root, offset = root_of(source)
  if not root then
    return nil, offset
  end
  if reaper.GetMediaSourceType(root) ~= "VIDEO" then
    return false
  end
  local path = reaper.GetMediaSourceFileName(root)
  if not reaper.file_exists(path) then
    return nil, "The film " .. path .. " is missing; restore it or relink the item."
  end
  local rate = reaper.GetMediaItemTakeInfo_Value(take, "D_PLAYRATE")
  local whole = reaper.GetMediaSourceLength(source)
  local from = reaper.GetMediaItemTakeInfo_Value(take, "D_STARTOFFS")
  local start = reaper.GetMediaItemInfo_Value(item, "D_POSITION")
  local left = reaper.GetMediaItemInfo_Value(item, "D_LENGTH")
  local loops = reaper.GetMediaItemInfo_Value(item, "B_LOOPSRC") ~= 0 and whole > 0
  if loops then
    from = from % whole
  elseif from < 0 then -- black before the film's first frame
    start, left, from = start - from / rate, left + from / rate, 0
  end
  while left >= SHORTEST_S do
    local length = whole > 0 and math.min(left, (whole - from) / rate) or left
    if length >= SHORTEST_S then
      clips[#clips + 1] = { path = path, start = start, length = length, from = offset + from, rate = rate }
    end
    start, left, from = start + length, loops and left - length or 0, 0
  end
  return true
end

-- The clips of the selected items, or nil and a sentence.
function picture.selected(project)
  local count = reaper.CountSelectedMediaItems(project)
  if count == 0 then
    return nil, "No item is selected; select the video items to score and run the action again."
  end
  local clips = {}
  for index = 0, count - 1 do
    local added, problem = add_item(reaper.GetSelectedMediaItem(project, index), clips)
    if problem then
      return nil, problem
    end
  end
  if #clips == 0 then
    return nil, "None of the selected items is a video; select the film's items and run the action again."
  end
  return joined(sorted(clips))
end

-- What all video items show between `first` and `last` (project seconds), or nil and a sentence.
function picture.between(project, first, last)
  if last - first < SHORTEST_S then
    return nil, "There is no time selection; drag over the part of the film to score and run the action again."
  end
  local clips = {}
  for index = 0, reaper.CountMediaItems(project) - 1 do
    local item = reaper.GetMediaItem(project, index)
    local start = reaper.GetMediaItemInfo_Value(item, "D_POSITION")
    if start < last and start + reaper.GetMediaItemInfo_Value(item, "D_LENGTH") > first then
      local added, problem = add_item(item, clips)
      if problem then
        return nil, problem
      end
    end
  end
  local inside = {}
  for _, clip in ipairs(sorted(clips)) do
    local start, stop = math.max(clip.start, first), math.min(clip.start + clip.length, last)
    if stop - start >= SHORTEST_S then
      clip.from = clip.from + (start - clip.start) * clip.rate
      clip.start, clip.length = start, stop - start
      inside[#inside + 1] = clip
    end
  end
  if #inside == 0 then
    return nil, "There is no video in the time selection; select a part of the film and run the action again."
  end
  return joined(inside)
end

return picture
