-- Live follow: tells the bridge where the playhead is, some 20 times a second, until the action is run again.
-- @noindex

local files, wait, section, command = ...
local TELL_S, LOOK_S, GIVE_UP_S, WRITE_AGAIN_S = 0.05, 1, 60, 5
local next_s, count = 0, 0
local written_s = reaper.time_precise()
local look_s, alive_s = 0, reaper.time_precise()

local function tell(on)
  local project = reaper.EnumProjects(-1)
  local state = reaper.GetPlayStateEx(project) -- &1 plays, &2 is paused
  local playing, position = state & 1, reaper.GetCursorPositionEx(project)
  if state & 3 ~= 0 then
    position = reaper.GetPlayPositionEx(project) -- pausing leaves the playhead where it is, not at the edit cursor
  end
  local first, last = reaper.GetSet_LoopTimeRange2(project, false, true, 0, 0, false)
  local looped = reaper.GetSetRepeat(-1) == 1
  count = count + 1
  -- Two files in turn: on Windows one that the bridge is just reading cannot be replaced.
  return files.write(count % 2 == 0 and "live-2" or "live", "live", {
    { "on", on and 1 or 0 },
    { "count", count },
    { "time", position },
    { "clock", reaper.time_precise() },
    { "playing", playing },
    { "rate", reaper.Master_GetPlayRate(project) },
    { "loop", looped and first or 0.0, looped and last or 0.0 },
  })
end

local function show(on)
  reaper.SetToggleCommandState(section, command, on and 1 or 0)
  reaper.RefreshToolbar2(section, command)
end

-- A sentence where no bridge has been there for too long.
local function missed(now)
  if now >= look_s then
    look_s = now + LOOK_S
    alive_s = files.bridge_lives() and now or alive_s
  end
  return now - alive_s > GIVE_UP_S
    and "No bridge has been there for a minute; run `hitpoint doctor` in a terminal to see why, then the action again."
end

local function cycle()
  local now = reaper.time_precise()
  if reaper.GetExtState("Hitpoint", "live") ~= "1" then
    return
  elseif now >= next_s then
    next_s = now + TELL_S
    local told, problem = tell(true)
    written_s = told and now or written_s
    if not told and now - written_s < WRITE_AGAIN_S then
      problem = nil -- the other file is next, and may be free
    end
    problem = problem or missed(now)
    if problem then
      return wait.say(problem)
    end
  end
  reaper.defer(cycle)
end

local running = reaper.GetExtState("Hitpoint", "live") == "1"
reaper.SetExtState("Hitpoint", "live", running and "0" or "1", false)
if running then
  return -- the other instance sees it and ends
end
if reaper.set_action_options then -- since REAPER 7.03: run again means end, without a question
  reaper.set_action_options(1)
end
if not files.bridge_lives() then
  files.start_bridge()
end
reaper.atexit(function()
  reaper.SetExtState("Hitpoint", "live", "0", false)
  tell(false)
  show(false)
end)
show(true)
cycle()
