-- Sends a request and waits for its answer without ever blocking REAPER: one short look in each defer cycle.
-- @noindex

local wait = { START_S = 60, LOOK_S = 0.2 }

local files

function wait.use(loaded_files)
  files = loaded_files
end

function wait.say(sentence)
  reaper.ShowMessageBox(sentence, "Hitpoint", 0)
end

local function draw(text, share)
  gfx.set(0.16, 0.16, 0.16, 1)
  gfx.rect(0, 0, gfx.w, gfx.h, 1)
  gfx.set(0.93, 0.55, 0.22, 1)
  gfx.rect(16, 52, math.floor((gfx.w - 32) * share), 10, 1)
  gfx.set(0.9, 0.9, 0.9, 1)
  gfx.x, gfx.y = 16, 20
  gfx.drawstr(text .. "   (Esc cancels)")
  gfx.update()
end

local function cancelled()
  local key = gfx.getchar()
  return key == -1 or key == 27 -- the window was closed, or Esc
end

-- job: id, rows, project, started (time), sent, problem, answer. Each step returns the text and share to show.
local function step_start(job, now)
  if files.bridge_lives() then
    local ok, problem = files.write("request-" .. job.id, "request", job.rows)
    job.sent, job.problem, job.seen_alive = ok, problem, now
  elseif now - job.started > wait.START_S then
    job.problem = "The bridge did not start; run `hitpoint doctor` in a terminal to see why."
  end
  return "Starting the bridge", 0
end

local function step_answer(job, now)
  local rows, problem = files.read("answer-" .. job.id, "answer")
  job.answer, job.problem = rows, problem
  if files.bridge_lives() then
    job.seen_alive = now
  elseif not rows and now - job.seen_alive > files.STALE_S then
    job.problem = "The bridge stopped while it worked; nothing was changed. Run the action again to restart it."
  end
  local progress = files.read("progress-" .. job.id, "progress")
  if progress and progress[1] then
    return progress[1][1], tonumber(progress[1][2]) or 0
  end
  return "Waiting for the bridge", 0
end

local function finish(job)
  gfx.quit()
  for _, name in ipairs({ "request-", "answer-", "progress-" }) do
    files.remove(name .. job.id)
  end
end

local function give(job, on_answer)
  finish(job)
  for _, row in ipairs(job.answer) do
    if row[1] == "error" then
      return wait.say(row[2])
    end
  end
  on_answer(job.answer)
end

local function cycle(job, on_answer)
  local now = reaper.time_precise()
  if not reaper.ValidatePtr2(0, job.project, "ReaProject*") then
    job.problem = "The project was closed before its score was ready; nothing was changed."
  elseif cancelled() then
    if job.sent then
      files.write("cancel-" .. job.id, "cancel", { { "id", job.id } })
    end
    return finish(job)
  elseif now >= job.look_next and not job.answer then
    job.look_next = now + wait.LOOK_S
    job.text, job.share = (job.sent and step_answer or step_start)(job, now)
  end
  if job.problem then
    finish(job)
    return wait.say(job.problem)
  end
  if job.answer then
    if reaper.EnumProjects(-1) == job.project then
      return give(job, on_answer)
    end
    job.text, job.share = "Ready: go back to the project's tab", 1
  end
  draw(job.text, job.share)
  reaper.defer(function()
    cycle(job, on_answer)
  end)
end

-- Sends `rows` for `project` and calls on_answer(rows) with what comes back; problems are said in a box.
function wait.ask(project, rows, on_answer)
  local id, now = files.new_id(), reaper.time_precise()
  local job = { id = id, rows = rows, project = project, started = now, look_next = now, text = "", share = 0 }
  table.insert(rows, 1, { "id", id })
  local ok, problem = files.write("probe", "probe", {}) -- a folder that cannot be written is said before any work
  files.remove("probe")
  if not ok then
    return wait.say(problem)
  end
  if not files.bridge_lives() then
    files.start_bridge()
  end
  gfx.init("Hitpoint", 380, 80)
  cycle(job, on_answer)
end

return wait
