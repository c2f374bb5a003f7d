-- What every action of Hitpoint does; which one is run, the name of its own file says.
-- @noindex

local _, script, section, command = reaper.get_action_context()
local folder, action = script:match("^.*[/\\]"), script:match("Hitpoint_([^/\\]*)%.lua$")

local loaded = {}

-- A module of lib/, read when it is first needed.
local function load(name, ...)
  if not loaded[name] then
    local module = assert(loadfile(folder .. "lib/" .. name .. ".lua"))
    if select("#", ...) > 0 then
      loaded[name] = module(...)
    else
      loaded[name] = module(load)
    end
  end
  return loaded[name]
end

local files = load("files")
local wait = load("wait", files)

local SETTINGS = {
  { key = "genre", value = "pop", title = "Genre or auto", names = "genres" },
  { key = "instruments", value = "drums,piano,guitar,bass,strings", title = "Instruments", names = "instruments" },
  { key = "tempo", value = "auto", title = "Tempo (auto or BPM or LO-HI)", number = true },
  { key = "control", value = "0.7", title = "Control (0 to 1)", number = true },
  { key = "seed", value = "0", title = "Seed" },
  { key = "cuts", value = "auto", title = "Cuts (auto or strips = the items' own)" },
  { key = "tempo_map", value = "project", title = "Tempo map (project = change it or keep)" },
  { key = "sound", value = "on", title = "ReaSynth on new tracks (on or off)" },
  { key = "mood", value = "auto", title = "Mood", names = "moods" },
  { key = "valence", value = "0", title = "Valence added (-1 to 1)", number = true },
  { key = "arousal", value = "0", title = "Arousal added (-1 to 1)", number = true },
  { key = "tension", value = "0", title = "Tension added (-1 to 1)", number = true },
  { key = "key", value = "auto", title = "Key (auto or such as A minor)" },
  { key = "harmony", value = "auto", title = "Chords (auto or off or bound or a file)", rare = true },
  { key = "lead", value = "auto", title = "Lead (auto or who has the tune)", rare = true },
  { key = "motif", value = "auto", title = "Tune of your own (a MIDI file or auto)", rare = true },
  { key = "meter", value = "4/4", title = "Metre (4/4 or 3/4 or 6/8 or auto)", rare = true },
  { key = "odd-bars", value = "off", title = "Single shorter bars for cuts (on or off)", rare = true },
  { key = "describe", value = "", title = "The film in your words", rare = true },
  { key = "composer", value = "cmt", title = "Composer", names = "composers", rare = true },
  { key = "library", value = "none", title = "Your music for it (a folder or none)", rare = true },
}

local COMPOSER = SETTINGS[#SETTINGS - 1]
local PAGES = { { "Hitpoint settings", 1, 8 }, { "Hitpoint settings: mood, chords, tune", 9, #SETTINGS } } -- a box holds 16

local OLDEST_REAPER = 6.40

-- What the bridge can do, as `hitpoint install reaper` has written it down: kind -> its names, with blanks between.
local function names_of(kind)
  for _, row in ipairs(files.read("names", "names") or {}) do
    if row[1] == kind then
      return table.concat(row, " ", 2)
    end
  end
end

local function title_of(row)
  local names = row.names and names_of(row.names)
  return names and ("%s (%s)"):format(row.title, names) or row.title
end

-- What was typed: without blanks around it, and a number's decimal comma as a point.
local function typed(row, text)
  text = text:match("^%s*(.-)%s*$")
  return row.number and (text:gsub("(%d),(%d)", "%1.%2")) or text
end

local function setting(row)
  local value = reaper.GetExtState("Hitpoint", row.key)
  return value ~= "" and value or row.value
end

-- Whether to keep the project's tempo; nil where the user wants to stop. scores: those that are there (set of jobs).
local function keep_tempo(project, scores)
  if setting(SETTINGS[7]) == "keep" then
    return true
  end
  if not load("tempo").has_others(project, scores) then
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
local function ask(project, rows, title, how, job, argument, more)
  wait.ask(project, rows, function(answer_rows, id)
    local score = load("score")
    local understood, answer = pcall(score.parse, answer_rows)
    local whole = understood and (how == "replace" or (answer.take and answer.range and answer.tempo and answer.point))
    if not whole then
      return nil, "The bridge's answer is not understood; run `hitpoint install reaper` again, so that both fit."
    end
    return function()
      local problem = score.as_one_step(project, title, function()
        score[how](project, job or id, answer, argument, more)
      end)
      local notes = {}
      for _, note in ipairs(problem and {} or answer.note) do
        notes[#notes + 1] = note.text
      end
      return problem or (#notes > 0 and table.concat(notes, "\n") or nil)
    end
  end)
end

-- The scores (set of jobs) in whose place the new one comes; nil where the user wants to stop.
local function replaced_scores(project, score, rows)
  local first, last = math.huge, -math.huge
  for _, row in ipairs(rows) do
    if row[1] == "between" then
      first, last = row[2], row[3]
      break
    elseif row[1] == "item" then
      first, last = math.min(first, row[4]), math.max(last, row[4] + row[5])
    end
  end
  local found = score.between(project, first, last)
  if not found then
    return {}
  end
  local question = "There is a score of Hitpoint's here already. Put the new one in its place, on the same tracks "
    .. "(Yes), or beside it, on tracks of its own (No)?"
  local button = reaper.ShowMessageBox(question, "Hitpoint", 3)
  if button == 6 then
    return found
  end
  return button == 7 and {} or nil
end

-- Scores what `items` (rows of picture.lua) show, or says `problem` where there are none. keep_job, entries: the score
-- whose music stays where the picture has not changed, and its items, in whose place the new one comes.
local function score_items(project, items, problem, keep_job, entries)
  if not items then
    return wait.say(problem)
  end
  local score = load("score")
  local replaced = keep_job and { [keep_job] = true } or replaced_scores(project, score, items)
  local keep
  if replaced ~= nil then
    keep = keep_tempo(project, score.between(project, -math.huge, math.huge) or {})
  end
  if keep == nil then
    return
  end
  local rows = { { "action", "score" }, { "fps", (reaper.TimeMap_curFrameRate(project)) }, table.unpack(items) }
  if keep_job then
    rows[#rows + 1] = { "keep", keep_job }
    rows[#rows + 1] = { "take", entries[1].number }
    for _, entry in ipairs(entries) do
      rows[#rows + 1] = score.notes_row(project, entry)
    end
    rows[#rows + 1] = not keep and { "own_tempo" } or nil -- the tempo is told for the sake of the notes alone
  end
  if keep or keep_job then
    load("notes").add_quarters(project, rows)
  end
  for _, row in ipairs(SETTINGS) do
    local usual = row.rare and setting(row) == row.value -- then the bridge's own configuration counts
    usual = usual or row.key == "library" and setting(COMPOSER) == COMPOSER.value
    if row.key ~= "tempo_map" and row.key ~= "sound" and not usual then
      rows[#rows + 1] = { "set", row.key, setting(row) }
    end
  end
  if keep_job then
    return ask(project, rows, "Hitpoint: re-score", "rework", nil, keep, entries)
  end
  ask(project, rows, "Hitpoint: score", "insert", nil, keep, replaced)
end

local actions = {}

actions["Score selected items"] = function(project)
  score_items(project, load("picture").selected(project))
end

actions["Score time selection"] = function(project)
  score_items(project, load("picture").between(project))
end

-- Calls act(score, job, entries) for the score that is meant; says why not where there is none.
local function with_score(project, act)
  local score = load("score")
  local job, entries = score.current(project)
  if not job then
    wait.say("There is no score in this project yet; run 'Hitpoint: Score selected items' first.")
  elseif #entries == 0 then
    wait.say("The items of the score are no longer in the project; undo their removal, or score the film again.")
  else
    act(score, job, entries)
  end
end

actions["Regenerate selected bars"] = function(project)
  with_score(project, function(score, job, entries)
    local first, last = reaper.GetSet_LoopTimeRange2(project, false, false, 0, 0, false)
    local rows, chosen = { { "action", "regenerate" }, { "job", job } }, {}
    for _, entry in ipairs(entries) do
      if entry.selected then
        rows[#rows + 1] = { "instrument", entry.instrument }
        chosen[#chosen + 1] = entry
        if last <= first then
          first, last = entry.first, entry.last
        end
      end
    end
    if last <= first then
      return wait.say("Nothing is selected; drag over the bars to regenerate, or select one of the score's MIDI items.")
    end
    chosen = #chosen > 0 and chosen or entries
    for _, entry in ipairs(chosen) do
      rows[#rows + 1] = score.notes_row(project, entry)
    end
    load("notes").add_quarters(project, rows)
    rows[#rows + 1] = { "span", first - chosen[1].shift, last - chosen[1].shift }
    rows[#rows + 1] = { "take", chosen[1].number }
    ask(project, rows, "Hitpoint: regenerate", "replace", job, chosen)
  end)
end

-- The items of the selection; without one all from the score's start on, as long as picture follows without a hole.
actions["Re-score what changed"] = function(project)
  with_score(project, function(score, job, entries)
    local items = load("picture").selected(project)
    local films = 0
    for _, row in ipairs(items or {}) do
      films = films + ((row[1] == "item" and row[3] == "VIDEO") and 1 or 0)
    end
    if films == 0 then
      local first, last = math.huge, -math.huge
      for _, entry in ipairs(entries) do
        first, last = math.min(first, entry.first), math.max(last, entry.last)
      end
      items = load("picture").within(project, first, load("picture").end_of(project, first, last))
    end
    score_items(project, items, nil, job, entries)
  end)
end

actions["Next take"] = function(project)
  with_score(project, function(score, job, entries)
    local rows = { { "action", "take" }, { "job", job }, { "take", score.takes(project, job) } }
    rows[#rows + 1] = { "shift", entries[1].shift }
    load("notes").add_quarters(project, rows)
    ask(project, rows, "Hitpoint: next take", "add_take", job, entries)
  end)
end

-- Asks for the settings; and puts the other actions into REAPER's action list, where those that are there stay.
actions["Settings"] = function()
  local names = "Score selected items|Score time selection|Re-score what changed|Regenerate selected bars|Next take|Live follow"
  for name, more in names:gmatch("([^|]+)(|?)") do
    reaper.AddRemoveReaScript(true, 0, folder .. "Hitpoint_" .. name .. ".lua", more == "")
  end
  for _, page in ipairs(PAGES) do
    local title, first, last = table.unpack(page)
    local titles, values = "", {}
    for index = first, last do
      titles, values[#values + 1] = titles .. title_of(SETTINGS[index]) .. ",", setting(SETTINGS[index])
    end
    titles = titles .. "extrawidth=160,separator=|"
    local ok, text = reaper.GetUserInputs(title, #values, titles, table.concat(values, "|"))
    local index = first - 1
    for value in (ok and text .. "|" or ""):gmatch("([^|]*)|") do
      index = index + 1
      if index <= last then
        reaper.SetExtState("Hitpoint", SETTINGS[index].key, typed(SETTINGS[index], value), true)
      end
    end
    if not ok then
      return
    end
  end
end

actions["Live follow"] = function()
  load("live", files, wait, section, command)
end

-- Why this REAPER is too old; nil where it is not.
local function too_old()
  local version = tonumber(reaper.GetAppVersion():match("^%d+%.%d+"))
  return version and version < OLDEST_REAPER
    and ("Hitpoint needs REAPER %.2f or newer, and this is %.2f; update REAPER."):format(OLDEST_REAPER, version)
end

local problem = action and too_old()
if problem then
  wait.say(problem)
elseif action then
  local project = reaper.EnumProjects(-1)
  reaper.defer(function() -- in a cycle of its own: reading the scripts took its time
    actions[action](project)
  end)
end
return { files = files, load = load }
