-- The music goes down where somebody speaks in the film: points of the volume envelope of the folder that holds it.
-- @noindex

local duck = {}

local NEAR = 1e-4

local function key(job)
  return "duck-" .. job
end

-- The points in a text of lines or of rows "PT second factor".
local function points_of(text)
  local points = {}
  for time, gain in text:gmatch("PT ([%d.-]+) ([%d.-]+)") do
    points[#points + 1] = { time = tonumber(time), gain = tonumber(gain) }
  end
  return points
end

local function same(there, known)
  for index, point in ipairs(there) do
    local other = known[index]
    if not other or math.abs(point.time - other.time) > NEAR or math.abs(point.gain - other.gain) > NEAR then
      return false
    end
  end
  return #there == #known
end

-- Our own folder, in which a track lies; nil where it lies elsewhere, with other things perhaps.
function duck.folder_of(track)
  local folder = reaper.GetParentTrack(track)
  local _, name = reaper.GetSetMediaTrackInfo_String(folder or track, "P_NAME", "", false)
  return folder and name == "Hitpoint" and folder or nil
end

-- Draws `points` ({ time, gain }) on a track's volume, in place of those that the score `before` was given. What
-- anybody else has drawn there is left as it is. track: nil for none.
function duck.draw(project, job, track, points, before)
  if not track then
    return
  end
  local _, chunk = reaper.GetTrackStateChunk(track, "", false)
  local first, last = chunk:find("[^\n]*<VOLENV2.-\n%s*>[^\n]*\n")
  local _, text = reaper.GetProjExtState(project, "Hitpoint", key(before or job))
  if first and not same(points_of(chunk:sub(first, last)), points_of(text)) then
    return
  end
  if #points == 0 and not first then
    return
  end
  local lines = {}
  for index, point in ipairs(points) do
    lines[index] = ("PT %.9f %.9f 0\n"):format(point.time, point.gain)
  end
  local drawn = table.concat(lines)
  local block = #points > 0 and "<VOLENV2\nACT 1 -1\nVIS 1 1 1\n" .. drawn .. ">\n" or ""
  if first then
    chunk = chunk:sub(1, first - 1) .. block .. chunk:sub(last + 1)
  else
    local stop = chunk:find(">%s*$")
    chunk = chunk:sub(1, stop - 1) .. block .. chunk:sub(stop)
  end
  assert(reaper.SetTrackStateChunk(track, chunk, false), "the volume of the folder was refused")
  reaper.SetProjExtState(project, "Hitpoint", key(job), drawn)
end

return duck
