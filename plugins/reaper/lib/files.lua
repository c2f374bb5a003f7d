-- Requests to the bridge and answers from it, as small text files below REAPER's resource path.
-- A file is rows of tab-separated fields; "%", tab and line ends are written %XX. The first row is "hitpoint",
-- the format's number and the file's kind; the last row is "end" and the number of rows above it. A file is
-- written under another name and renamed, so that no reader ever sees half of it.
-- @noindex

local files = { FORMAT = "2", STALE_S = 6 }

function files.folder()
  return reaper.GetResourcePath() .. "/Hitpoint"
end

function files.path(name)
  return files.folder() .. "/" .. name .. ".txt"
end

local function escape(value)
  if type(value) == "number" and math.type(value) == "float" then
    value = ("%.9f"):format(value)
  end
  return (tostring(value):gsub("[%%\t\r\n]", function(char)
    return ("%%%02X"):format(char:byte())
  end))
end

local function unescape(field)
  return (field:gsub("%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end))
end

-- Writes `rows` (lists of fields) as a file of `kind`. Returns true, or nil and a sentence.
function files.write(name, kind, rows)
  local lines = { "hitpoint\t" .. files.FORMAT .. "\t" .. kind }
  for _, row in ipairs(rows) do
    local fields = {}
    for index, value in ipairs(row) do
      fields[index] = escape(value)
    end
    lines[#lines + 1] = table.concat(fields, "\t")
  end
  lines[#lines + 1] = "end\t" .. #lines .. "\n"
  local path, part = files.path(name), files.path(name) .. ".part"
  local file = io.open(part, "wb")
  if not file then
    reaper.RecursiveCreateDirectory(files.folder(), 0)
    file = io.open(part, "wb")
  end
  local written = file and file:write(table.concat(lines, "\n"))
  if file then
    written = file:close() and written
  end
  if written then
    os.remove(path) -- Windows renames onto no existing file
    written = os.rename(part, path)
  end
  if not written then
    os.remove(part)
    return nil, "The folder " .. files.folder() .. " cannot be written; make it writable and run the action again."
  end
  return true
end

-- The rows of a file; nil where it is not there (yet); nil and a sentence where it is not whole or of another format.
function files.read(name, kind)
  local file = io.open(files.path(name), "rb")
  if not file then
    return nil
  end
  local text = file:read("a") or ""
  file:close()
  local rows = {}
  for line in text:gmatch("([^\n]*)\n") do
    local row = {}
    for field in (line .. "\t"):gmatch("([^\t]*)\t") do
      row[#row + 1] = unescape(field)
    end
    rows[#rows + 1] = row
  end
  local head, tail = table.remove(rows, 1), table.remove(rows)
  if not head or head[1] ~= "hitpoint" or head[3] ~= kind then
    return nil, "The file " .. files.path(name) .. " is not one of Hitpoint's; delete it and run the action again."
  end
  if head[2] ~= files.FORMAT then
    return nil, "The bridge writes file format " .. head[2] .. ", these scripts read " .. files.FORMAT
      .. ": run `hitpoint install reaper` again."
  end
  if not tail or tail[1] ~= "end" or tonumber(tail[2]) ~= #rows + 1 then
    return nil, "The file " .. files.path(name) .. " is cut off; run the action again."
  end
  return rows
end

function files.remove(name)
  os.remove(files.path(name))
end

-- A name that no other request has, and that nobody can guess.
function files.new_id()
  return "r" .. reaper.genGuid(""):gsub("%X", ""):lower()
end

function files.bridge_lives()
  local rows = files.read("heartbeat", "heartbeat")
  local seconds = rows and rows[1] and tonumber(rows[1][2])
  return seconds ~= nil and math.abs(os.time() - seconds) <= files.STALE_S
end

-- Starts the bridge and returns at once. The command comes from `hitpoint install reaper`.
function files.start_bridge()
  local rows = files.read("bridge", "bridge")
  local command = rows and rows[1] and rows[1][2] or "hitpoint"
  reaper.ExecProcess(command .. ' serve --reaper-folder "' .. files.folder() .. '"', -1)
end

return files
