-- Sends a request and waits for its answer without ever blocking REAPER: one short look in each defer cycle.
-- @noindex

local files = ...
local wait = { START_S = 60, LOOK_S = 0.2 }

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

-- A job: id, rows, project; started, seen_alive, look_next (times); sent; answer (its rows); understand (those -> what
-- changes the project), then change (that); problem (a sentence that ends it); text and share to show.

local function start(job, now)
  if files.bridge_lives() then
    job.sent, job.problem = files.write("request-" .. job.id, "request", job.rows)
    job.seen_alive = now
  elseif not job.started then
    job.started = now
    local ok, problem = files.write("probe", "probe", {}) -- a folder that cannot be written is said before any work
    files.remove("probe")
    job.problem = not ok and problem or nil
    if ok then
      files.start_bridge()
    end
  elseif now - job.started > wait.START_S then
    job.problem = "The bridge did not start; run `hitpoint doctor` in a terminal to see why."
  end
  job.text, job.share = "Starting the bridge", 0
end

local function look(job, now)
  local rows, problem = files.read("answer-" .. job.id, "answer")
  if rows and rows[1] and rows[1][1] == "error" then
    rows, problem = nil, rows[1][2]
  end
  job.answer, job.problem = rows, problem
  if rows then
    return
  elseif files.bridge_lives() then
    job.seen_alive = now
  elseif now - job.seen_alive > files.STALE_S then
    job.problem = "The bridge stopped while it worked; nothing was changed. Run the action again to restart it."
  end
  local progress = files.read("progress-" .. job.id, "progress")
  job.text, job.share = "Waiting for the bridge", 0
  if progress and progress[1] then
    job.text, job.share = progress[1][1], tonumber(progress[1][2]) or 0
  end
end

local function cancel(job)
  if job.sent and not job.answer then
    files.write("cancel-" .. job.id, "cancel", { { "id", job.id } })
  end
end

local function finish(job)
  gfx.quit()
  for _, name in ipairs({ "request-", "answer-", "progress-" }) do
    files.remove(name .. job.id)
  end
  if job.problem then
    wait.say(job.problem)
  end
end

local function cycle(job)
  local now, key = reaper.time_precise(), gfx.getchar()
  if not reaper.ValidatePtr2(0, job.project, "ReaProject*") then
    cancel(job)
    job.problem = "The project was closed before its score was ready; nothing was changed."
  elseif key == -1 or key == 27 then -- the window was closed, or Esc
    cancel(job)
    return finish(job)
  elseif job.change then
    if reaper.EnumProjects(-1) == job.project then
      job.problem = job.change()
      return finish(job)
    end
    job.text, job.share = "Ready: go back to the project's tab", 1
  elseif job.answer then
    job.change, job.problem = job.understand(job.answer)
  elseif now >= job.look_next then
    job.look_next = now + wait.LOOK_S;
    (job.sent and look or start)(job, now)
  end
  if job.problem then
    return finish(job)
  end
  draw(job.text, job.share)
  reaper.defer(function()
    cycle(job)
  end)
end

-- Sends `rows` for `project`. understand(answer_rows, id) returns the function that changes the project, or nil and what
-- is wrong; that function returns nil, or what went wrong. Problems are said in a box.
function wait.ask(project, rows, understand)
  local id = files.new_id()
  table.insert(rows, 1, { "id", id })
  local job = { id = id, rows = rows, project = project, look_next = 0, text = "", share = 0 }
  function job.understand(answer_rows)
    return understand(answer_rows, id)
  end
  gfx.init("Hitpoint", 380, 80)
  reaper.defer(function()
    cycle(job)
  end)
end

return wait
