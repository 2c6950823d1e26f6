-- Debian's OpenMapTiles rules; land and water appear one zoom level sooner and all houses from 13, as the country is small.
dofile("/usr/share/doc/tilemaker/examples/process-openmaptiles.lua")

local METRES_PER_PIXEL = { [9] = 305.7, [10] = 152.9, [11] = 76.4, [12] = 38.2 }

function SetMinZoomByArea(way)
	local area = way:Area()
	for zoom = 9, 12 do
		if area > METRES_PER_PIXEL[zoom] ^ 2 then
			way:MinZoom(zoom)
			return
		end
	end
	way:MinZoom(13)
end
