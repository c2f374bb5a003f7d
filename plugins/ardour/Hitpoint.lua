ardour {
	["type"] = "EditorAction",
	name = "Hitpoint: score a film",
	license = "GPLv3",
	author = "The Hitpoint authors",
	description = [[
Music that hits the cuts of a film. Run it once to choose the film: `hitpoint score` composes beside Ardour, which goes
on meanwhile. Run it again to bring the music in: a track an instrument, the tempo map, a marker at
each hit, and faders that go down where somebody speaks.
The film begins where the session begins. Needs the program hitpoint on the PATH.
]]
}

function factory () return function ()
	local folder = ARDOUR.LuaAPI.build_filename (Session:path (), "hitpoint")

	local function path (name)
		return ARDOUR.LuaAPI.build_filename (folder, name)
	end

	local function read (name)
		local file = io.open (path (name), "r")
		local text = file and file:read ("a")
		if file then file:close () end
		return text
	end

	local function write (name, text)
		local file = io.open (path (name), "w")
		if file then
			file:write (text)
			file:close ()
		end
		return file ~= nil
	end

	local function quoted (text)
		return "'" .. text:gsub ("'", "'\\''") .. "'"
	end

	local function say (text)
		LuaDialog.Message ("Hitpoint", text, LuaDialog.MessageType.Info, LuaDialog.ButtonType.Close):run ()
	end

	-- The shell runs beside Ardour; what it leaves when it is done is the file "ended", with the exit status.
	local function start (film, options, tempo)
		os.execute ("mkdir -p " .. quoted (folder))
		local number = 1
		while read ("music " .. number .. ".mid") do number = number + 1 end
		local name = "music " .. number
		if not write ("running", name .. "\n" .. (tempo and "tempo" or "") .. "\n") then
			return say ("The folder " .. folder .. " cannot be written.")
		end
		local midi, report = quoted (path (name .. ".mid")), quoted (path (name .. ".json"))
		local call = "hitpoint score " .. quoted (film) .. " -o " .. midi .. " --report " .. report .. " " .. options
		local left = quoted (path ("ended"))
		local shell = "(" .. call .. ") > " .. quoted (path ("log")) .. " 2>&1; echo $? > " .. left .. ".part; mv " .. left
			.. ".part " .. left
		os.execute ("(" .. shell .. ") < /dev/null > /dev/null 2>&1 &")
	end

	local function ask ()
		local wishes = LuaDialog.Dialog ("Hitpoint: score a film", {
			{ type = "file", key = "film", title = "Film" },
			{ type = "entry", key = "options", title = "Options of hitpoint score", default = "" },
			{ type = "checkbox", key = "tempo", title = "Take over the score's tempo map", default = true },
		}):run ()
		if not wishes then return end
		local options = wishes["options"]
		if options:find ("[;&|<>`$()\n]") then
			return say ("The options are words as on a command line; leave out the characters ; & | < > ` $ ( ).")
		end
		start (wishes["film"], options, wishes["tempo"])
		say ("Hitpoint is composing. Run this action again in a while to bring the music in.")
	end

	-- The hit points of a report: { second, kind }.
	local function hits_of (report)
		local hits, rows = {}, report:match ('"hits": (%b[])') or ""
		for row in rows:gmatch ("%b{}") do
			local second, kind = row:match ('"time_s": ([%d.]+)'), row:match ('"kind": "(%a+)"')
			if second and kind then
				hits[#hits + 1] = { tonumber (second), kind }
			end
		end
		return hits
	end

	local function marks_at (sample)
		local found = {}
		for mark in Session:locations ():list ():iter () do
			if mark:is_mark () and math.abs (mark:start ():samples () - sample) <= 1 then
				found[#found + 1] = mark
			end
		end
		return found
	end

	local function add_marks (hits)
		for _, hit in ipairs (hits) do
			local sample, name = math.floor (hit[1] * Session:nominal_sample_rate () + 0.5), "Hit: " .. hit[2]
			local there = false
			for _, mark in ipairs (marks_at (sample)) do
				there = there or mark:name () == name
			end
			if not there then
				Editor:mouse_add_new_marker (Temporal.timepos_t (sample), ARDOUR.LocationFlags.IsMark, 0)
				local marks = marks_at (sample)
				if #marks > 0 then
					marks[#marks]:set_name (name)
				end
			end
		end
	end

	-- How the music goes down under speech, of a report: { second, dB }, straight lines between.
	local function duck_of (report)
		local points, rows = {}, report:match ('"duck": (%b[])') or ""
		for second, gain in rows:gmatch ("%[%s*(-?[%d.e-]+),%s*(-?[%d.e-]+)%s*%]") do
			points[#points + 1] = { tonumber (second), tonumber (gain) }
		end
		return points
	end

	-- The duck as fader automation of the tracks that came with the file.
	local function duck_tracks (name, points)
		for route in Session:get_routes ():iter () do
			if #points > 0 and route:name ():sub (1, #name + 1) == name .. "." then
				local fader = route:gain_control ()
				local line = fader:alist ()
				for _, point in ipairs (points) do
					local sample = math.floor (point[1] * Session:nominal_sample_rate () + 0.5)
					line:add (Temporal.timepos_t (sample), 10 ^ (point[2] / 20), false, false)
				end
				fader:set_automation_state (ARDOUR.AutoState.Play)
			end
		end
	end

	local function bring_in (name, tempo)
		local files = C.StringVector ()
		files:push_back (path (name .. ".mid"))
		local disposition = ARDOUR.MidiTempoMapDisposition
		Editor:do_import (files, Editing.ImportDistinctFiles, Editing.ImportAsTrack, ARDOUR.SrcQuality.SrcBest,
			ARDOUR.MidiTrackNameSource.SMFTrackName, tempo and disposition.SMFTempoUse or disposition.SMFTempoIgnore,
			Temporal.timepos_t (0), ARDOUR.PluginInfo (), ARDOUR.Track (), false)
		local report = read (name .. ".json") or ""
		local hits = hits_of (report)
		add_marks (hits)
		duck_tracks (name, duck_of (report))
		return #hits
	end

	local running, ended = read ("running"), read ("ended")
	if not running then
		return ask ()
	elseif not ended then
		local stop = LuaDialog.Message ("Hitpoint", "Hitpoint is still composing. Wait for it? No: forget it.",
			LuaDialog.MessageType.Question, LuaDialog.ButtonType.Yes_No):run ()
		if stop == LuaDialog.Response.No then
			os.remove (path ("running"))
		end
		return
	end
	os.remove (path ("running"))
	os.remove (path ("ended"))
	local name, tempo = running:match ("([^\n]*)\n([^\n]*)")
	if tonumber (ended) ~= 0 then
		local words = "it said nothing"
		for line in (read ("log") or ""):gmatch ("[^\n]*%S[^\n]*") do words = line end
		return say ("Scoring failed: " .. words)
	end
	local count = bring_in (name, tempo == "tempo")
	say ("The music is in: " .. count .. " hits are marked. Its MIDI file is " .. path (name .. ".mid"))
end end
