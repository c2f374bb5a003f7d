-- What lies on the timeline, as the bridge wants to know it; what of it is a film, and which part, the bridge decides.
-- @noindex

local picture = {}

-- The row of one item (the fields: bridge/file_clips.py); nil for an item without source.
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
  local loops = reaper.GetMediaItemInfo_Value(item, "B_LOOPSRC")
  return { "item", path, kind, position, length, offset, rate, whole, section_start, loops, reversed }
end

-- The rows of the selected items, or nil and a sentence.
function picture.selected(project)
  local rows = {}
  for index = 0, reaper.CountSelectedMediaItems(project) - 1 do
    rows[#rows + 1] = row_of(reaper.GetSelectedMediaItem(project, index))
  end
  if #rows == 0 then
    return nil, "No item is selected; select the video items to score and run the action again."
  end
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
  return rows
end

return picture
