-- What every action of Hitpoint does; each action's own file only says which.
-- @noindex

local folder = ...
local files = dofile(folder .. "lib/files.lua")
local picture = dofile(folder .. "lib/picture.lua")
local wait = dofile(folder .. "lib/wait.lua")
local score = dofile(folder .. "lib/score.lua")
wait.use(files)

local hitpoint = { files = files, wait = wait, score = score }

hitpoint.SETTINGS = {
  { key = "genre", value = "pop", title = "Genre (country dance electronic metal pop rock)" },
  { key = "instruments", value = "drums,piano,guitar,bass,strings", title = "Instruments" },
  { key = "tempo", value = "auto", title = "Tempo (auto or BPM or LO-HI)" },
  { key = "control", value = "0.7", title = "Control (0 to 1)" },
  { key = "seed", value = "0", title = "Seed" },
  { key = "cuts", value = "auto", title = "Cuts (auto or strips = the items' own)" },
  { key = "tempo_map", value = "project", title = "Tempo map (project = change it or keep)" },
}

function hitpoint.setting(row)
  local value = reaper.GetExtState("Hitpoint", row.key)
  return value ~= "" and value or row.value
end

-- Whether to keep the project's tempo; nil where the user wants to stop.
local function keep_tempo(project)
  if hitpoint.setting(hitpoint.SETTINGS[7]) == "keep" then
    return true
  end
  if reaper.CountTempoTimeSigMarkers(project) == 0 then
    return false
  end
  local question = "This project has tempo markers of its own. Change its tempo to the score's inside the score "
    .. "(Yes), or keep it and place the notes by time (No)?"
  local button = reaper.ShowMessageBox(question, "Hitpoint", 3)
  if button == 6 or button == 7 then
    return button == 7
  end
  return nil
end

-- Sends `rows` and hands the answer to score[how] as one undo step. job: nil for a new score, named as its request.
local function ask(project, job, rows, title, how, keep)
  wait.ask(project, rows, function(answer_rows)
    local understood, answer = pcall(score.parse, answer_rows)
    if not understood or not answer.range then
      return wait.say("The bridge's answer is not understood; run `hitpoint install reaper` again, so that both fit.")
    end
    local problem = score.as_one_step(project, title, function()
      score[how](project, job or rows[1][2], answer, keep)
    end)
    if problem then
      wait.say(problem)
    end
  end)
end

-- Scores `clips`, or says `problem` where there are none.
local function score_clips(project, clips, problem)
  if not clips then
    return wait.say(problem)
  end
  local keep = keep_tempo(project)
  if keep == nil then
    return
  end
  local rows = { { "action", "score" }, { "fps", (reaper.TimeMap_curFrameRate(project)) } }
  for _, clip in ipairs(clips) do
    local stop = clip.from + clip.length * clip.rate
    rows[#rows + 1] = { "clip", clip.path, clip.start, clip.from, stop, clip.rate }
  end
  for _, row in ipairs(hitpoint.SETTINGS) do
    if row.key ~= "tempo_map" then
      rows[#rows + 1] = { "set", row.key, hitpoint.setting(row) }
    end
  end
  ask(project, nil, rows, "Hitpoint: score", "insert", keep)
end

function hitpoint.score_selected_items()
  local project = reaper.EnumProjects(-1)
  score_clips(project, picture.selected(project))
end

function hitpoint.score_time_selection()
  local project = reaper.EnumProjects(-1)
  local first, last = reaper.GetSet_LoopTimeRange2(project, false, false, 0, 0, false)
  score_clips(project, picture.between(project, first, last))
end

function hitpoint.regenerate()
  local project = reaper.EnumProjects(-1)
  local job = score.current_job(project)
  local first, last = reaper.GetSet_LoopTimeRange2(project, false, false, 0, 0, false)
  local rows, number, shift = { { "action", "regenerate" }, { "job", job or "" } }, 0, 0
  for _, entry in ipairs(score.items(project)) do
    if entry.job == job then
      number, shift = entry.number, entry.shift
      if entry.selected then
        rows[#rows + 1] = { "instrument", entry.instrument }
        if last <= first then
          first, last = entry.first, entry.first + reaper.GetMediaItemInfo_Value(entry.item, "D_LENGTH")
        end
      end
    end
  end
  if not job then
    return wait.say("There is no score in this project yet; run 'Hitpoint: Score selected items' first.")
  elseif last <= first then
    return wait.say("Nothing is selected; drag over the bars to regenerate, or select one of the score's MIDI items.")
  end
  rows[#rows + 1] = { "span", first - shift, last - shift }
  rows[#rows + 1] = { "take", number }
  ask(project, job, rows, "Hitpoint: regenerate", "replace")
end

function hitpoint.next_take()
  local project = reaper.EnumProjects(-1)
  local job = score.current_job(project)
  if not job then
    return wait.say("There is no score in this project yet; run 'Hitpoint: Score selected items' first.")
  end
  local _, takes = reaper.GetProjExtState(project, "Hitpoint", "takes")
  local rows = { { "action", "take" }, { "job", job }, { "take", math.tointeger(tonumber(takes)) or 1 } }
  ask(project, job, rows, "Hitpoint: next take", "add_take")
end

-- Puts the other actions into REAPER's action list; those that are there already stay.
local function register_actions()
  local names = "Score selected items|Score time selection|Regenerate selected bars|Next take|Live follow"
  for name, more in names:gmatch("([^|]+)(|?)") do
    reaper.AddRemoveReaScript(true, 0, folder .. "Hitpoint_" .. name .. ".lua", more == "")
  end
end

function hitpoint.settings()
  register_actions()
  local titles, values = "", {}
  for index, row in ipairs(hitpoint.SETTINGS) do
    titles, values[index] = titles .. row.title .. ",", hitpoint.setting(row)
  end
  titles = titles .. "extrawidth=160,separator=|"
  local ok, text = reaper.GetUserInputs("Hitpoint settings", #values, titles, table.concat(values, "|"))
  if not ok then
    return
  end
  local index = 0
  for value in (text .. "|"):gmatch("([^|]*)|") do
    index = index + 1
    if hitpoint.SETTINGS[index] then
      reaper.SetExtState("Hitpoint", hitpoint.SETTINGS[index].key, value:match("^%s*(.-)%s*$"), true)
    end
  end
end

-- Tells the bridge where the playhead is, some 20 times a second, until the action is run again.
function hitpoint.live(section, command)
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
  local next_s, count = 0, 0
  local function tell(on)
    local project = reaper.EnumProjects(-1)
    local playing = reaper.GetPlayStateEx(project) & 1
    local first, last = reaper.GetSet_LoopTimeRange2(project, false, true, 0, 0, false)
    local looped = reaper.GetSetRepeat(-1) == 1
    count = count + 1
    return files.write("live", "live", {
      { "on", on and 1 or 0 },
      { "count", count },
      { "time", playing == 1 and reaper.GetPlayPositionEx(project) or reaper.GetCursorPositionEx(project) },
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
  local function cycle()
    local now = reaper.time_precise()
    if reaper.GetExtState("Hitpoint", "live") ~= "1" then
      return
    elseif now >= next_s then
      next_s = now + 0.05
      local ok, problem = tell(true)
      if not ok then
        return wait.say(problem)
      end
    end
    reaper.defer(cycle)
  end
  reaper.atexit(function()
    reaper.SetExtState("Hitpoint", "live", "0", false)
    tell(false)
    show(false)
  end)
  show(true)
  cycle()
end

return hitpoint
