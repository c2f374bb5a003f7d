-- The emulator's project as REAPER's own file format, so that an independent parser can read it.

local function quoted(text)
  return '"' .. text:gsub('"', "'") .. '"'
end

local function source_lines(project, take, out)
  local source = project:object(take.source)
  if source.type ~= "MIDI" then
    out("<SOURCE " .. source.type)
    if source.parent then
      out("LENGTH " .. source.length .. "\nSTARTPOS " .. source.offset)
    else
      out("FILE " .. quoted(source.file))
    end
    return out(">")
  end
  assert(take.sorted, "a MIDI take was left unsorted: MIDI_Sort is missing")
  out("<SOURCE MIDI\nHASDATA 1 " .. project.ppq .. " QN")
  local now = 0
  for _, event in ipairs(take.events) do
    out(("E %d %02x %02x %02x"):format(event[1] - now, event[3]:byte(1, 3)))
    now = event[1]
  end
  out(("E %d b0 7b 00"):format(math.max(0, take.stop - now)))
  out(">")
end

local function item_lines(project, item, out)
  out(("<ITEM\nPOSITION %.12f\nLENGTH %.12f\nLOOP %d"):format(item.D_POSITION, item.D_LENGTH, item.B_LOOPSRC))
  for index, id in ipairs(item.takes) do
    local take = project:object(id)
    if index > 1 then
      out(index - 1 == item.active and "TAKE SEL" or "TAKE")
    end
    out("NAME " .. quoted(take.P_NAME))
    out(("SOFFS %.12f\nPLAYRATE %.12f 1 0 -1 0 0.0025"):format(take.D_STARTOFFS, take.D_PLAYRATE))
    source_lines(project, take, out)
  end
  out(">")
end

return function(project)
  local lines = {}
  local function out(text)
    lines[#lines + 1] = text
  end
  out('<REAPER_PROJECT 0.1 "7.0/emulated" 1700000000')
  out("TEMPO " .. project.state.base_bpm .. " 4 4")
  for index, marker in ipairs(project.state.markers) do
    local region = marker.is_region and 1 or 0
    out(("MARKER %d %.12f %s %d %d"):format(index, marker.first, quoted(marker.name), region, marker.color))
    if marker.is_region then
      out(('MARKER %d %.12f "" 1'):format(index, marker.last))
    end
  end
  out("<TEMPOENVEX")
  for _, point in ipairs(project.state.tempo) do
    local signature = point.num > 0 and (" %d 0 1"):format(point.den * 65536 + point.num) or ""
    out(("PT %.12f %.10f %d%s"):format(point.time, point.bpm, point.linear and 0 or 1, signature))
  end
  out(">")
  for _, id in ipairs(project.state.tracks) do
    local track = project:object(id)
    out("<TRACK\nNAME " .. quoted(track.P_NAME))
    out(("PEAKCOL %d\nISBUS %d %d"):format(track.I_CUSTOMCOLOR, track.I_FOLDERDEPTH > 0 and 1 or track.I_FOLDERDEPTH < 0 and 2 or 0, track.I_FOLDERDEPTH))
    for _, item in ipairs(track.items) do
      item_lines(project, project:object(item), out)
    end
    out(">")
  end
  out(">")
  return table.concat(lines, "\n") .. "\n"
end
