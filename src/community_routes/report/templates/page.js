(function () {
  "use strict";
  var root = document.documentElement;
  root.classList.remove("no-js");
  root.classList.add("js");
  var data = JSON.parse(document.getElementById("map-data").textContent);
  var byId = function (id) { return document.getElementById(id); };
  var MINUS = "\u2212";

  // Elements are made here and filled with text, never with markup: names come from data.
  function make(tag, text, className) {
    var element = document.createElement(tag);
    if (text !== undefined && text !== null) element.textContent = text;
    if (className) element.className = className;
    return element;
  }

  function number(value, sign) {
    if (value === null || value === undefined) return "–";
    var size = Math.abs(value);
    var mark = value < 0 ? MINUS : sign && value > 0 ? "+" : "";
    if (size > 0 && size < 0.005) return sign && value < 0 ? "under 0.01 less" : "under 0.01";
    var digits = size >= 100 || size === Math.round(size) ? 0 : size >= 1 ? 1 : 2;
    var parts = size.toFixed(digits).split(".");
    parts[0] = parts[0].replace(/\B(?=(\d{3})+$)/g, ",");
    return mark + parts.join(".");
  }

  // A heading of a table that sorts it: `sorted` is called with the column and whether it goes up.
  function sortable(table, n, sorted) {
    var heads = Array.prototype.slice.call(table.tHead.rows[0].cells, 0, n);
    heads.forEach(function (head, column) {
      var button = make("button");
      button.type = "button";
      while (head.firstChild) button.appendChild(head.firstChild);
      head.appendChild(button);
      button.addEventListener("click", function () {
        var up = head.getAttribute("aria-sort") !== "ascending";
        heads.forEach(function (other) { other.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        sorted(column, up);
      });
    });
  }
  var collator = new Intl.Collator("en", { numeric: true });
  function compared(x, y, up) {
    if (x === null || y === null) return (x === null) - (y === null);
    var order = typeof x === "string" ? collator.compare(x, y) : x < y ? -1 : x > y ? 1 : 0;
    return up ? order : -order;
  }

  // ---- what every page can do: keep a table or a chart, and show what a link leads to ----

  function save(name, type, text) {
    var link = make("a");
    link.href = URL.createObjectURL(new Blob([text], { type: type }));
    link.download = name;
    link.click();
    setTimeout(function () { URL.revokeObjectURL(link.href); }, 10000);
  }
  function fileName(text, ending) {
    return (text.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "").slice(0, 80) || "figure") + ending;
  }
  // Exact values where a cell holds a figure, and text that no spreadsheet runs.
  function csvOf(table) {
    return Array.prototype.map.call(table.rows, function (row) {
      var cells = [];
      Array.prototype.forEach.call(row.cells, function (cell) {
        var figure = cell.querySelector("data"), text = figure ? figure.value : (cell.dataset.v || cell.textContent).trim().replace(/\s+/g, " ");
        if (!figure && /^[=+\-@]/.test(text) && isNaN(Number(text))) text = "'" + text;
        cells.push(/[",\n]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text);
        for (var i = 1; i < cell.colSpan; i++) cells.push("");
      });
      return cells.join(",");
    }).join("\r\n") + "\r\n";
  }
  // The drawing with the colours that the page gives it, so that it stands for itself.
  function svgOf(drawing) {
    var copy = drawing.cloneNode(true), from = drawing.querySelectorAll("*"), box = drawing.viewBox.baseVal;
    copy.querySelectorAll("*").forEach(function (part, i) {
      var style = getComputedStyle(from[i]);
      ["fill", "stroke", "stroke-width", "font-weight"].forEach(function (name) { part.setAttribute(name, style.getPropertyValue(name)); });
    });
    copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
    copy.setAttribute("font-family", "sans-serif");
    copy.setAttribute("width", box.width * 2);
    copy.setAttribute("height", box.height * 2);
    return new XMLSerializer().serializeToString(copy);
  }
  function keep(after, label, about, act) {
    var tools = make("p", null, "tools"), button = make("button", label);
    button.type = "button";
    button.setAttribute("aria-label", about);
    button.addEventListener("click", act);
    tools.appendChild(button);
    after.parentNode.insertBefore(tools, after.nextSibling);
  }
  function toKeep() {
    document.querySelectorAll("main .scroll > table").forEach(function (table) {
      var about = table.parentNode.getAttribute("aria-label");
      keep(table.parentNode, "\u2193 CSV", "Keep the table as CSV: " + about, function () { save(fileName(about, ".csv"), "text/csv", "\ufeff" + csvOf(table)); });
    });
    document.querySelectorAll("main figure.chart").forEach(function (chart) {
      var drawing = chart.querySelector("svg.bars");
      if (!drawing) return;
      var about = drawing.getAttribute("aria-label").split(":")[0];
      keep(drawing, "\u2193 SVG", "Keep the chart as SVG: " + about, function () {
        save(fileName(chart.dataset.name || about, ".svg"), "image/svg+xml", svgOf(drawing));
      });
    });
  }
  // Only what scrolls is a stop of the Tab key.
  function stops() {
    document.querySelectorAll(".scroll").forEach(function (box) {
      if (box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight) box.tabIndex = 0; else box.removeAttribute("tabindex");
    });
  }
  function openTarget() {
    var target = location.hash.length > 1 && location.hash.indexOf("=") < 0 && byId(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    var fold = target.querySelector(":scope > details");
    if (fold) fold.open = true;
    for (var box = target.closest("details"); box; box = box.parentNode.closest("details")) box.open = true;
    target.scrollIntoView();
  }

  // A map on which the background lies below all.
  function plain() {
    var map = L.map("map", { preferCanvas: true, attributionControl: false, zoomSnap: 0.25 });
    map.createPane("below").style.zIndex = 250;
    var below = L.canvas({ pane: "below" });
    data.background.forEach(function (layer) {
      layer.shapes.forEach(function (shape) {
        var isArea = layer.fill && shape.type.indexOf("Polygon") >= 0;
        L.geoJSON(shape, { interactive: false, pane: "below", renderer: below, style: {
          stroke: !isArea, color: layer.color, weight: layer.width, fill: isArea, fillColor: layer.color, fillOpacity: 1 } }).addTo(map);
      });
    });
    L.control.scale({ imperial: false }).addTo(map);
    return map;
  }

  // ---- the map of the report ----

  function explorer() {
    // What the reader has chosen.
    var state = { mode: data.scenarios.length ? "change" : "today", scenario: 1, kind: "", slot: 0, view: "", zone: null };

    function figures(kind, view) { return data.figures[(kind || state.kind) + "|" + (view || state.view)]; }
    function entry(scenario, slot) {
      var chosen = figures();
      return chosen ? chosen.values[scenario + "|" + slot] : undefined;
    }
    function level(scenario, slot, zone) {
      var found = entry(scenario, slot);
      return found ? found.v[zone] : null;
    }
    function change(scenario, slot, zone, part) {
      var found = entry(scenario, slot);
      if (!found || found.c === undefined) return null;
      if (data.zones[zone].off || found.v[zone] === null) return null;
      if (found.c === 0) return 0;
      var column = found[part || "c"] || found.c;
      return column[zone];
    }
    function isUnsure(zone) {
      var low = change(state.scenario, state.slot, zone, "l"), high = change(state.scenario, state.slot, zone, "h");
      return low !== null && low < high && low <= 0 && high >= 0;
    }
    function shown(zone) {
      if (state.mode === "today") return level(0, state.slot, zone);
      if (state.mode === "with") return level(state.scenario, state.slot, zone);
      return change(state.scenario, state.slot, zone);
    }
    function scale() { var chosen = figures(); return state.mode === "change" ? chosen.change : chosen.level; }
    function color(value) {
      var s = scale(), i = 0;
      while (i < s.breaks.length && value >= s.breaks[i]) i += 1;
      return s.colors[i];
    }

    // The map: no tiles, only what is in this file; as high as the neighbourhoods ask for.
    if (innerWidth > 860) {
      var high = Math.max(420, Math.min(640, byId("map").clientWidth * data.aspect + 16));
      byId("map").style.height = high + "px";
      document.querySelector(".side").style.maxHeight = high + "px";
    }
    var map = L.map("map", {
      attributionControl: false, zoomSnap: 0.1, zoomDelta: 0.5, minZoom: 8, maxZoom: 17, scrollWheelZoom: false
    });
    map.fitBounds(data.box, { animate: false, padding: [6, 6] });
    ["under", "zones", "unsure", "over", "routes", "new", "stops", "spots", "names"].forEach(function (name, i) {
      var pane = map.createPane(name);
      pane.style.zIndex = 300 + i * 20;
      if (name !== "zones" && name !== "stops" && name !== "spots") pane.style.pointerEvents = "none";
    });
    map.on("focus", function () { map.scrollWheelZoom.enable(); });
    map.on("blur", function () { map.scrollWheelZoom.disable(); });

    // One tooltip for all: it says what is shown now, and adds no stop to the Tab key.
    var tip = L.tooltip({ sticky: true, direction: "right", offset: [12, 0] });
    function tells(layer, content) {
      layer.on("mouseover mousemove", function (event) { tip.setLatLng(event.latlng).setContent(content()); if (!map.hasLayer(tip)) tip.addTo(map); });
      layer.on("mouseout", function () { tip.remove(); });
    }
    function lines(first, second) {
      var box = make("div");
      box.appendChild(make("strong", first));
      if (second) { box.appendChild(make("br")); box.appendChild(make("span", second)); }
      return box;
    }

    function ground(name, areaStyle, lineStyle) {
      var layer = data.background[name];
      if (!layer) return;
      if (layer.areas.length && areaStyle) L.polygon(layer.areas, areaStyle).addTo(map);
      if (layer.lines.length && lineStyle) L.polyline(layer.lines, lineStyle).addTo(map);
    }
    function flat(pane, more) { return Object.assign({ pane: pane, interactive: false, stroke: false, fill: true }, more); }
    function stroke(pane, more) { return Object.assign({ pane: pane, interactive: false, fill: false }, more); }
    ground("green", flat("under", { fillColor: "#dbe5cc", fillOpacity: 1 }));
    ground("water", flat("under", { fillColor: "#b9d3df", fillOpacity: 1 }), stroke("under", { color: "#b9d3df", weight: 2 }));
    ground("water", flat("over", { fillColor: "#7fa9bd", fillOpacity: 0.55 }), stroke("over", { color: "#7fa9bd", weight: 1.5 }));
    ground("green", flat("over", { fillColor: "url(#h-green)", fillOpacity: 1 }), null);
    ground("roads", null, stroke("over", { color: "#fff", weight: 3, opacity: 0.55 }));
    ground("railways", null, stroke("over", { color: "#777", weight: 1.6, dashArray: "6 4" }));

    var zoneLayers = data.zones.map(function (zone, i) {
      var layer = L.polygon(zone.shape, { pane: "zones", color: "#fff", weight: 1, fillOpacity: 1, opacity: 0.9, smoothFactor: 0.3 }).addTo(map);
      layer.on("click", function () { choose(i); });
      tells(layer, function () {
        return lines(zone.name, zone.off ? "outside the streets of this study" : number(shown(i), state.mode === "change"));
      });
      return layer;
    });
    var dotted = data.zones.map(function (zone) {
      return L.polygon(zone.shape, { pane: "unsure", stroke: false, fillColor: "url(#h-unsure)", fillOpacity: 1, interactive: false });
    });
    var outline = L.polygon([], { pane: "over", color: "#111", weight: 3, fill: false, interactive: false }).addTo(map);

    data.places.forEach(function (place) {
      if (!place.shape) return;
      L.polygon(place.shape, { pane: "over", color: "#6a3d9a", weight: 1.3, fill: false, interactive: false }).addTo(map);
    });
    var routeLayers = data.routes.map(function (route) {
      var pane = route.scenario !== "today" ? "new" : "routes";
      var parts = [];
      if (route.scenario !== "today") {
        parts.push(L.polyline(route.lines, { pane: pane, color: "#fff", weight: 8, opacity: 0.95, interactive: false }));
        parts.push(L.polyline(route.lines, {
          pane: pane, color: "#c0156b", weight: 4, lineCap: route.gone ? "butt" : "round", dashArray: route.gone ? "9 7" : null, interactive: false
        }));
      } else {
        parts.push(L.polyline(route.lines, {
          pane: pane, color: "#2b3238", weight: route.mode === "rail" ? 1.8 : 1.1, opacity: 0.6,
          dashArray: route.mode === "rail" ? "5 4" : null, interactive: false
        }));
      }
      return { route: route, layer: L.layerGroup(parts) };
    });
    var stops = L.layerGroup(data.stops.map(function (stop) {
      var dot = L.circleMarker([stop[0], stop[1]], { pane: "stops", radius: 2.6, color: "#343b42", weight: 1, fillColor: "#fff", fillOpacity: 1 });
      tells(dot, function () { return lines(stop[2], stop.length > 3 ? stop.slice(3).join(" / ") + " departures" : ""); });
      return dot;
    }));
    // Each key of places has a shape of its own, so that they can be told apart without colours.
    var SHAPES = [
      function (x, y, r) { return "M" + (x - r) + "," + y + "a" + r + "," + r + " 0 1,0 " + 2 * r + ",0a" + r + "," + r + " 0 1,0 " + -2 * r + ",0"; },
      function (x, y, r) { r *= 0.9; return "M" + (x - r) + "," + (y - r) + "h" + 2 * r + "v" + 2 * r + "h" + -2 * r + "z"; },
      function (x, y, r) { r *= 1.25; return "M" + x + "," + (y - r) + "l" + r + "," + 1.7 * r + "h" + -2 * r + "z"; },
      function (x, y, r) { r *= 1.25; return "M" + x + "," + (y - r) + "l" + r + "," + r + "l" + -r + "," + r + "l" + -r + "," + -r + "z"; },
      function (x, y, r) { var t = r / 2.4; r *= 1.2; return "M" + (x - t) + "," + (y - r) + "h" + 2 * t + "v" + (r - t) + "h" + (r - t) + "v" + 2 * t + "h" + (t - r) + "v" + (r - t) + "h" + -2 * t + "v" + (t - r) + "h" + (t - r) + "v" + -2 * t + "h" + (r - t) + "z"; }
    ];
    var INKS = ["#5b2a86", "#17212a", "#8a3d00", "#0b5f2f", "#00518a"];
    var keys = [];
    data.places.forEach(function (place) { if (keys.indexOf(place.key) < 0) keys.push(place.key); });
    keys.sort(function (x, y) { return (x !== "employment") - (y !== "employment") || (x < y ? -1 : 1); });
    function shapeOf(key) { return SHAPES[keys.indexOf(key) % SHAPES.length]; }
    function inkOf(key) { return INKS[keys.indexOf(key) % INKS.length]; }
    var Spot = L.CircleMarker.extend({ _updatePath: function () {
      this._renderer._setPath(this, this._empty() ? "M0 0" : shapeOf(this.options.key)(this._point.x, this._point.y, this._radius));
    } });
    var spots = L.layerGroup(data.places.filter(function (place) { return !place.shape || place.key !== "employment"; }).map(function (place) {
      var dot = new Spot(place.at, { pane: "spots", key: place.key, radius: 3.6, color: inkOf(place.key), weight: 1.8, fillColor: place.key === "employment" ? inkOf(place.key) : "#fff", fillOpacity: 1 });
      tells(dot, function () { return lines(place.name || place.kind || place.label, place.name ? place.kind || place.label : ""); });
      return dot;
    }));
    data.labels.forEach(function (label) {
      var big = label.kind === "city" || label.kind === "town";
      L.marker(label.at, {
        pane: "names", interactive: false, keyboard: false,
        icon: L.divIcon({ className: "place" + (big ? " big" : ""), html: make("span", label.name), iconSize: null, iconAnchor: [0, 0] })
      }).addTo(map);
    });
    L.control.scale({ imperial: true, metric: true, position: "bottomleft" }).addTo(map);

    // Small dots on the whole map, smaller ones where there are very many, bigger ones and the stops when it is enlarged.
    var crowded = spots.getLayers().length > 400;
    function detail() {
      var closer = map.getZoom() - map.getBoundsZoom(data.box), near = closer >= 1.25;
      spots.eachLayer(function (dot) { dot.setRadius(near ? 4.5 : crowded ? 1.7 : 2.6); dot.setStyle({ weight: near ? 2 : crowded ? 0.8 : 1.3 }); });
      [[stops, near], [spots, true]].forEach(function (pair) {
        if (pair[1]) pair[0].addTo(map); else map.removeLayer(pair[0]);
      });
    }
    map.on("zoomend", detail);

    // Controls.
    function options(select, items) {
      if (!select) return;
      var kept = select.value;
      select.textContent = "";
      items.forEach(function (item) {
        var option = make("option", item.name);
        option.value = item.id;
        select.appendChild(option);
      });
      if (items.some(function (item) { return String(item.id) === kept; })) select.value = kept;
    }
    var sScenario = byId("s-scenario"), sKind = byId("s-kind"), sDay = byId("s-day"), sWindow = byId("s-window"),
      sView = byId("s-view"), sZone = byId("s-zone");
    options(sScenario, data.scenarios.map(function (s, i) { return { id: i + 1, name: (data.scenarios.length > 1 ? s.letter + ". " : "") + s.title }; }));
    options(sKind, data.kinds);
    var inOrder = data.zones.map(function (zone, i) { return { id: i, name: zone.name }; });
    inOrder.sort(function (a, b) { return a.name.localeCompare(b.name, "en", { numeric: true }); });
    options(sZone, [{ id: "", name: "none chosen" }].concat(inOrder));

    var first = data.slots[data.start.slot];
    sKind.value = data.start.kind;
    dependent();
    sView.value = data.start.view;
    dependent();
    sDay.value = first.day;
    dependent();
    sWindow.value = first.window;

    function dependent() {
      state.kind = sKind.value;
      options(sView, data.views.filter(function (view) { return figures(state.kind, view.id); }));
      state.view = sView.value;
      var there = data.slots.filter(function (slot, i) { return entry(0, i); }), days = [];
      there.forEach(function (slot) {
        if (!days.some(function (day) { return day.id === slot.day; })) days.push({ id: slot.day, name: slot.dayName });
      });
      options(sDay, days);
      sDay.parentNode.hidden = days.length < 2;
      options(sWindow, there.filter(function (slot) { return slot.day === sDay.value; }).map(function (slot) {
        return { id: slot.window, name: slot.windowName };
      }));
      if (sScenario) state.scenario = Number(sScenario.value);
      data.slots.forEach(function (slot, i) { if (slot.day === sDay.value && slot.window === sWindow.value) state.slot = i; });
    }

    // What the box finds: neighbourhoods, wards, places, stops, and postcodes where the study has them.
    var spotsByName = {};
    function known(name, at, zone) {
      var key = name.toLowerCase();
      if (name && !Object.prototype.hasOwnProperty.call(spotsByName, key)) spotsByName[key] = { name: name, at: at, zone: zone };
    }
    data.zones.forEach(function (zone, i) { known(zone.name, zoneLayers[i].getBounds().getCenter(), i); });
    data.labels.concat(data.places).forEach(function (place) { known(place.name, L.latLng(place.at), null); });
    data.stops.forEach(function (stop) { known(stop[2], L.latLng(stop[0], stop[1]), null); });
    data.zones.forEach(function (zone, i) { known(zone.group, zoneLayers[i].getBounds().getCenter(), null); });
    function inside(at, zone) {
      return zone.shape.some(function (rings) {
        var odd = false;
        rings.forEach(function (ring) {
          for (var i = 0, j = ring.length - 1; i < ring.length; j = i, i += 1) {
            var a = ring[i], b = ring[j];
            if (a[0] > at.lat !== b[0] > at.lat && at.lng < (b[1] - a[1]) * (at.lat - a[0]) / (b[0] - a[0]) + a[1]) odd = !odd;
          }
        });
        return odd;
      });
    }
    function find(text) {
      var wanted = text.trim().toLowerCase(), code = wanted.replace(/\s+/g, "").toUpperCase();
      var zone = (data.postcodes || {})[code];
      if (zone !== undefined) return { name: code, at: zoneLayers[zone].getBounds().getCenter(), zone: zone };
      if (Object.prototype.hasOwnProperty.call(spotsByName, wanted)) return spotsByName[wanted];
      var near = Object.keys(spotsByName).filter(function (key) { return key.indexOf(wanted) >= 0; });
      near.sort(function (x, y) { return x.indexOf(wanted) - y.indexOf(wanted) || x.length - y.length; });
      return near.length ? spotsByName[near[0]] : null;
    }
    function go(text) {
      var said = byId("found"), place = text.trim() ? find(text) : null;
      if (!place) { said.textContent = text.trim() ? "Nothing in this study is called “" + text.trim() + "”." : ""; return; }
      var zone = place.zone;
      if (zone === null) data.zones.forEach(function (one, i) { if (zone === null && inside(place.at, one)) zone = i; });
      said.textContent = place.name + (zone === null ? "" : ": " + data.zones[zone].name) + ".";
      map.setView(place.at, Math.max(map.getZoom(), 13), { animate: false });
      choose(zone);
    }
    var names = byId("places-known");
    Object.keys(spotsByName).sort(collator.compare).forEach(function (key) { var option = make("option"); option.value = spotsByName[key].name; names.appendChild(option); });
    byId("s-find").addEventListener("change", function (event) { go(event.target.value); });

    // The address of the map as it is: everything that was chosen, in the page's own address.
    function address() {
      var mine = data.scenarios[state.scenario - 1], slot = data.slots[state.slot], view = data.views.filter(function (v) { return v.id === state.view; })[0];
      return "map=" + [state.mode, mine ? mine.id : "", state.kind, slot.day, slot.window, view ? view.id : "", state.zone === null ? "" : data.zones[state.zone].id].map(encodeURIComponent).join("/");
    }
    function restore() {
      if (location.hash.indexOf("#map=") !== 0) return false;
      var part = location.hash.slice(5).split("/").map(function (text) { try { return decodeURIComponent(text); } catch (fault) { return ""; } });
      var radio = document.querySelector('input[name="mode"][value="' + CSS.escape(part[0] || "") + '"]');
      if (radio) { radio.checked = true; state.mode = part[0]; }
      data.scenarios.forEach(function (s, i) { if (s.id === part[1] && sScenario) sScenario.value = String(i + 1); });
      [[sKind, 2], [sView, 5], [sDay, 3], [sWindow, 4]].forEach(function (pair) {
        if (Array.prototype.some.call(pair[0].options, function (option) { return option.value === part[pair[1]]; })) pair[0].value = part[pair[1]];
        dependent();
      });
      data.zones.forEach(function (zone, i) { if (zone.id === part[6]) state.zone = i; });
      return true;
    }
    byId("copy-link").addEventListener("click", function () {
      history.replaceState(null, "", "#" + address());
      var said = byId("found");
      function done() { said.textContent = "The address of this page now opens the map as it is."; }
      if (navigator.clipboard) navigator.clipboard.writeText(location.href).then(function () { said.textContent = "Link copied."; }, done); else done();
    });

    function nameOf(list, id) {
      var found = list.filter(function (item) { return item.id === id; })[0];
      return found ? found.name : "";
    }

    function item(list, swatch, text) {
      var line = make("li");
      line.appendChild(swatch);
      line.appendChild(make("span", text));
      list.appendChild(line);
    }
    function swatch(background, className) {
      var box = make("span", null, "swatch" + (className ? " " + className : ""));
      if (background) box.style.background = background;
      return box;
    }
    function hatched(id) {
      var ns = "http://www.w3.org/2000/svg", box = document.createElementNS(ns, "svg"), rect = document.createElementNS(ns, "rect");
      box.setAttribute("class", "swatch");
      box.setAttribute("aria-hidden", "true");
      rect.setAttribute("width", "100%");
      rect.setAttribute("height", "100%");
      rect.setAttribute("fill", "url(#" + id + ")");
      box.appendChild(rect);
      return box;
    }

    function legend() {
      var box = byId("legend"), s = scale(), list = make("ul"), also = make("ul", null, "also");
      box.textContent = "";
      box.appendChild(make("h3", state.mode === "today" ? "Today" : state.mode === "with" ? "With the proposal" : "Change"));
      box.appendChild(make("p", nameOf(data.views, state.view) + (figures().unit ? ", " + figures().unit : ""), "unit"));
      var used = {};
      data.zones.forEach(function (zone, i) {
        var value = zone.off ? null : shown(i);
        if (value !== null && value !== undefined) used[color(value)] = true;
      });
      s.colors.forEach(function (c, i) { if (state.mode !== "change" || used[c]) item(list, swatch(c), s.labels[i]); });
      if (state.mode === "change" && data.zones.some(function (z, i) { return isUnsure(i); })) item(list, hatched("h-unsure"), "cannot be told from no change");
      var off = data.zones.filter(function (z) { return z.off; }).length;
      if (off) item(list, hatched("h-off"), "outside the streets of this study (" + off + ")");
      box.appendChild(list);
      var mine = data.scenarios[state.scenario - 1];
      function routed(gone) {
        return state.mode !== "today" && mine && data.routes.some(function (r) { return r.scenario === mine.id && Boolean(r.gone) === gone; });
      }
      if (routed(false)) item(also, swatch("#c0156b", "line"), "new or changed route");
      if (routed(true)) item(also, swatch("", "dashed"), "withdrawn route");
      var today = data.routes.filter(function (r) { return r.scenario === "today"; });
      if (today.length) item(also, swatch("", "thin"), today.some(function (r) { return r.mode === "rail"; }) ? "route today (rail dashed)" : "route today");
      if (data.places.some(function (p) { return p.shape; })) item(also, swatch("", "area"), data.places.some(function (p) { return p.shape && p.key === "employment"; }) ? "employment zone or large space" : "large space");
      keys.forEach(function (key) {
        var some = data.places.filter(function (p) { return p.key === key && (!p.shape || key !== "employment"); });
        if (!some.length) return;
        var ns = "http://www.w3.org/2000/svg", mark = document.createElementNS(ns, "svg"), path = document.createElementNS(ns, "path");
        mark.setAttribute("class", "swatch spot");
        mark.setAttribute("viewBox", "-12 -7.5 24 15");
        mark.setAttribute("aria-hidden", "true");
        path.setAttribute("d", shapeOf(key)(0, 0, 4.6));
        path.setAttribute("fill", key === "employment" ? inkOf(key) : "#fff");
        path.setAttribute("stroke", inkOf(key));
        path.setAttribute("stroke-width", "1.8");
        mark.appendChild(path);
        item(also, mark, some[0].label);
      });
      box.appendChild(also);
    }

    function cellText(row, text, tag) { row.appendChild(make(tag || "td", text)); }

    // The five nearest places, of the chosen kind where there are any, today and with the proposal.
    function nearest(box) {
      [0].concat(state.mode === "today" || !data.scenarios.length ? [] : [state.scenario]).forEach(function (scenario) {
        var found = (data.nearest.at[scenario + "|" + state.slot] || {})[state.zone];
        if (!found) return;
        var mine = found.filter(function (place) { return place[1] === state.kind; });
        var list = make("ol");
        (mine.length ? mine : found).slice(0, 5).forEach(function (place) {
          var line = make("li");
          line.appendChild(make("span", data.nearest.names[place[0]]));
          line.appendChild(make("span", place[2] + " min"));
          list.appendChild(line);
        });
        box.appendChild(make("h4", scenario ? "Nearest places with the proposal" : "Nearest places today"));
        box.appendChild(list);
      });
    }

    // Sample journeys from here: in words, and drawn on the map leg by leg.
    var drawnLegs = L.layerGroup().addTo(map);
    function journeys(box) {
      data.journeys.forEach(function (trip) {
        if (trip.zone !== state.zone || (trip.scenario && (state.mode === "today" || trip.scenario !== state.scenario))) return;
        box.appendChild(make("h4", (trip.scenario ? "With the proposal, " : "Today, ") + trip.title));
        box.appendChild(make("p", trip.minutes + " minutes: " + trip.legs.map(function (leg) { return leg.text; }).join(", "), "few"));
        trip.legs.forEach(function (leg) {
          if (leg.line.length < 2) return;
          var style = leg.walk ? { weight: 3, dashArray: "1 6" } : { weight: 4 };
          drawnLegs.addLayer(L.polyline(leg.line, Object.assign({
            pane: "new", interactive: false, lineCap: "round", color: trip.scenario ? "#c0156b" : "#111", opacity: 0.9
          }, style)));
        });
      });
    }

    function card() {
      drawnLegs.clearLayers();
      var box = byId("card"), zone = state.zone === null ? null : data.zones[state.zone];
      box.textContent = "";
      box.parentNode.classList.toggle("chosen", Boolean(zone));
      if (!zone) {
        box.appendChild(make("p", "Choose a neighbourhood on the map or in the list to see its figures.", "none"));
        return;
      }
      box.appendChild(make("h3", zone.name));
      var facts = [];
      if (zone.group) facts.push(zone.group);
      if (data.people && zone.persons !== null) facts.push(number(zone.persons) + " residents");
      if (zone.decile !== null) facts.push("deprivation decile " + zone.decile + " of 10 (1 most deprived)");
      box.appendChild(make("p", facts.join(" · "), "none"));
      if (zone.off) {
        box.appendChild(make("p", "Outside the streets of this study: no figures. That is not the same as zero."));
        return;
      }
      box.appendChild(make("p", nameOf(data.kinds, state.kind) + ". " + nameOf(data.views, state.view)));
      var table = make("table"), head = make("tr"), body = make("tbody"), top = make("thead");
      cellText(head, "When", "th");
      cellText(head, "Today", "th");
      if (data.scenarios.length) { cellText(head, "Proposal", "th"); cellText(head, "Change", "th"); }
      top.appendChild(head);
      table.appendChild(top);
      data.slots.forEach(function (slot, i) {
        if (!entry(0, i)) return;
        var row = make("tr");
        cellText(row, slot.short, "th");
        cellText(row, number(level(0, i, state.zone)));
        if (data.scenarios.length) {
          cellText(row, number(level(state.scenario, i, state.zone)));
          cellText(row, number(change(state.scenario, i, state.zone), true));
        }
        body.appendChild(row);
      });
      table.appendChild(body);
      box.appendChild(table);
      nearest(box);
      journeys(box);
    }

    function draw() {
      dependent();
      zoneLayers.forEach(function (layer, i) {
        var value = data.zones[i].off ? null : shown(i);
        layer.setStyle({ fillColor: value === null || value === undefined ? "url(#h-off)" : color(value) });
        if (state.mode === "change" && isUnsure(i)) dotted[i].addTo(map); else map.removeLayer(dotted[i]);
      });
      routeLayers.forEach(function (item) {
        var mine = data.scenarios[state.scenario - 1];
        var on = item.route.scenario === "today" || (state.mode !== "today" && mine && item.route.scenario === mine.id);
        if (on) item.layer.addTo(map); else map.removeLayer(item.layer);
      });
      tip.remove();
      outline.setLatLngs(state.zone === null ? [] : data.zones[state.zone].shape);
      legend();
      card();
      var mode = state.mode === "today" ? "Today" : state.mode === "with" ? "With the proposal" : "Change";
      var whose = state.mode === "today" || !data.scenarios.length ? "" : " (" + data.scenarios[state.scenario - 1].title + ")";
      byId("map-title").textContent = mode + whose + ": " + nameOf(data.kinds, state.kind).toLowerCase() + ", " +
        nameOf(data.views, state.view).toLowerCase() + ". " + data.slots[state.slot].name + ".";
      follow();
    }

    // The table of neighbourhoods shows what the map shows: today's figures and the change of each proposal.
    var table = byId("zones"), body = table.tBodies[0], followed = "", order = byId("zones-about").textContent.split(". ").pop();
    function follow() {
      var now = [state.kind, state.view, state.slot].join("|");
      if (followed && followed !== now) {
        Array.prototype.forEach.call(body.rows, function (row) {
          var zone = Number(row.dataset.zone), n = data.scenarios.length;
          if (data.zones[zone].off) return;
          for (var s = 0; s <= n; s += 1) {
            var cell = row.cells[row.cells.length - 1 - n + s];
            var value = s ? change(s, state.slot, zone) : level(0, state.slot, zone);
            cell.textContent = number(value, s > 0);
            cell.dataset.v = value === null || value === undefined ? "" : value;
          }
        });
        byId("zones-about").textContent = about();
      }
      followed = now;
    }
    function about() {
      return nameOf(data.views, state.view) + ": " + nameOf(data.kinds, state.kind).toLowerCase() + ", " + data.slots[state.slot].name + ". " + order;
    }

    function choose(zone) {
      state.zone = zone;
      sZone.value = zone === null ? "" : String(zone);
      document.querySelectorAll("#zones tr.chosen").forEach(function (row) { row.classList.remove("chosen"); });
      var row = zone === null ? null : document.querySelector('#zones tr[data-zone="' + zone + '"]');
      if (row) row.classList.add("chosen");
      draw();
    }

    byId("controls").addEventListener("change", function (event) {
      var target = event.target;
      if (target.name === "mode") state.mode = target.value;
      if (target === sZone) { choose(target.value === "" ? null : Number(target.value)); return; }
      if (target === sScenario) {
        // A proposal is shown where and when it acts.
        var acts = data.scenarios[Number(sScenario.value) - 1].acts, then = data.slots[acts.slot];
        if (state.mode === "today") {
          state.mode = "change";
          document.querySelector('input[name="mode"][value="change"]').checked = true;
        }
        [[sKind, acts.kind], [sView, data.start.view], [sDay, then.day], [sWindow, then.window]].forEach(function (pair) { pair[0].value = pair[1]; dependent(); });
      }
      draw();
    });
    byId("controls").addEventListener("submit", function (event) { event.preventDefault(); });
    document.querySelectorAll(".zone-link").forEach(function (link) {
      link.addEventListener("click", function () {
        var zone = Number(link.closest("tr").dataset.zone);
        choose(zone);
        map.fitBounds(zoneLayers[zone].getBounds().pad(1.6));
      });
    });

    sortable(table, table.tHead.rows[0].cells.length, function (column, up) {
      var head = table.tHead.rows[0].cells[column], isText = head.dataset.sort === "text";
      var value = function (row) {
        var cell = row.cells[column];
        if (!cell) return null;
        var text = cell.textContent.trim(), holder = cell.querySelector("data");
        if (isText) return text;
        if (holder) return Number(holder.value);
        if (cell.dataset.v !== undefined) return cell.dataset.v === "" ? null : Number(cell.dataset.v);
        var plain = Number(text.replace(/,/g, ""));
        return text === "" || isNaN(plain) ? null : plain;
      };
      var rows = Array.prototype.slice.call(body.rows);
      rows.sort(function (a, b) { return compared(value(a), value(b), up); });
      rows.forEach(function (row) { body.appendChild(row); });
      order = "Sorted by " + head.textContent.trim().replace(/\s+/g, " ").toLowerCase() + (up ? ", smallest first." : ", greatest first.");
      if (isText) order = "Sorted by name" + (up ? "." : ", from the end.");
      byId("zones-about").textContent = about();
    });

    restore();
    detail();
    draw();
    if (state.zone !== null) choose(state.zone);
    addEventListener("hashchange", function () { if (restore()) draw(); });
  }

  // ---- the table and the map of development sites ----

  function sites() {
    var columns = data.columns, rows = data.rows, n = columns.length;
    var PAGE = n, LAT = n + 1, LON = n + 2, VERDICT = n + 3, AT_ONCE = 100;
    // Words that are searched, made once.
    var words = rows.map(function (row) {
      return row.slice(0, n).filter(function (cell, i) { return columns[i].kind === "text"; }).join(" ").toLowerCase();
    });
    var shown = rows.map(function (row, i) { return i; }), first = 0, sortBy = -1, up = true;

    function signed(value) { return (value > 0 ? "+" : value < 0 ? "\u2212" : "") + Math.abs(value).toLocaleString("en-GB"); }
    function cellOf(row, i) {
      var cell = row[i], kind = columns[i].kind;
      if (i === 0) {
        var head = make("th"), name = make("bdi", cell);
        head.scope = "row";
        if (row[PAGE]) {
          var link = make("a");
          link.href = row[PAGE];
          link.appendChild(name);
          head.appendChild(link);
        } else head.appendChild(name);
        return head;
      }
      var made = make("td", undefined, kind === "number" ? "" : "text");
      if (kind === "mark") {
        if (typeof cell === "string") made.textContent = cell;
        else if (cell === null) made.appendChild(make("span", "\u2717 none", "mark miss"));
        else made.appendChild(make("span", (cell >= 0 ? "\u2713 " : "\u2717 ") + signed(cell), "mark " + (cell >= 0 ? "pass" : "miss")));
      } else if (kind === "number") made.textContent = cell === null ? "" : cell.toLocaleString("en-GB");
      else made.appendChild(make("bdi", cell));
      return made;
    }
    function draw() {
      var body = byId("sites").tBodies[0], fresh = document.createDocumentFragment();
      shown.slice(first, first + AT_ONCE).forEach(function (number) {
        var line = make("tr"), row = rows[number];
        for (var i = 0; i < n; i++) line.appendChild(cellOf(row, i));
        var last = make("td");
        if (row[LAT] !== null) {
          var button = make("button", "Map", "locate");
          button.type = "button";
          button.setAttribute("aria-label", "Show " + row[0] + " on the map");
          button.addEventListener("click", function () { choose(number, true); });
          last.appendChild(button);
        }
        line.appendChild(last);
        fresh.appendChild(line);
      });
      body.textContent = "";
      body.appendChild(fresh);
      var end = Math.min(first + AT_ONCE, shown.length);
      byId("count").textContent = shown.length.toLocaleString("en-GB") + (shown.length === rows.length ? " sites" :
        " of " + rows.length.toLocaleString("en-GB") + " sites");
      byId("p-where").textContent = shown.length ? (first + 1).toLocaleString("en-GB") + "\u2013" + end.toLocaleString("en-GB") : "none";
      byId("p-back").disabled = first === 0;
      byId("p-on").disabled = end >= shown.length;
      byId("pager").hidden = shown.length <= AT_ONCE;
    }
    function sorted() {
      if (sortBy < 0) return;
      var kind = columns[sortBy].kind, value = function (number) {
        var cell = rows[number][sortBy];
        if (kind === "text") return cell === "" ? null : cell;
        // No stop or journey at all is worse than any shortfall; a site that was not judged is left to the end.
        if (kind === "mark" && cell === null) return -Infinity;
        return typeof cell === "number" ? cell : null;
      };
      shown.sort(function (a, b) { return compared(value(a), value(b), up) || a - b; });
    }
    function filter() {
      var text = byId("f-text").value.trim().toLowerCase(), verdict = byId("f-verdict").value, standard = byId("f-standard").value;
      shown = [];
      for (var number = 0; number < rows.length; number++) {
        var row = rows[number], cell = standard === "" ? 0 : row[Number(standard)];
        if (text && words[number].indexOf(text) < 0) continue;
        if (verdict !== "" && row[VERDICT] !== Number(verdict)) continue;
        if (standard !== "" && !(cell === null || (typeof cell === "number" && cell < 0))) continue;
        shown.push(number);
      }
      first = 0;
      sorted();
      draw();
      mark();
    }
    sortable(byId("sites"), n, function (column, isUp) {
      up = isUp;
      sortBy = column;
      first = 0;
      sorted();
      draw();
    });
    byId("controls").addEventListener("submit", function (event) { event.preventDefault(); });
    var waiting = 0;
    byId("f-text").addEventListener("input", function () { clearTimeout(waiting); waiting = setTimeout(filter, 120); });
    byId("f-verdict").addEventListener("change", filter);
    byId("f-standard").addEventListener("change", filter);
    byId("p-back").addEventListener("click", function () { first = Math.max(0, first - AT_ONCE); draw(); });
    byId("p-on").addEventListener("click", function () { first += AT_ONCE; draw(); });

    var map = plain();
    var STYLES = [
      { radius: 5, color: "#fff", weight: 1, fillColor: "#1b8579", fillOpacity: 0.95 },
      { radius: 5, color: "#fff", weight: 1, fillColor: "#b3401c", fillOpacity: 0.95 },
      { radius: 5, color: "#17212a", weight: 1.6, dashArray: "2 2", fillColor: "#fff", fillOpacity: 0.9 }
    ];
    var Square = L.CircleMarker.extend({ _updatePath: function () {
      // A site that misses is a square: it can be told apart without colours.
      var at = this._point, half = Math.max(Math.round(this._radius), 1), context = this._renderer._ctx;
      if (!this._renderer._drawing || this._empty()) return;
      context.beginPath();
      context.rect(at.x - half, at.y - half, 2 * half, 2 * half);
      this._renderer._fillStroke(context, this);
    } });
    var markers = rows.map(function (row, number) {
      if (row[LAT] === null) return null;
      var style = STYLES[row[VERDICT]], at = [row[LAT], row[LON]];
      var made = row[VERDICT] === 1 ? new Square(at, style) : L.circleMarker(at, style);
      made.on("click", function () { choose(number, false); });
      made.bindTooltip(function () { return make("bdi", row[0] + (row[1] && row[1] !== row[0] ? ": " + row[1] : "")); });
      return made;
    });
    var group = L.layerGroup().addTo(map), ring = null;
    function mark() {
      group.clearLayers();
      // Misses lie above passes.
      [2, 0, 1].forEach(function (verdict) {
        shown.forEach(function (number) { if (markers[number] && rows[number][VERDICT] === verdict) group.addLayer(markers[number]); });
      });
    }
    function choose(number, move) {
      var row = rows[number], said = byId("chosen");
      said.textContent = "";
      said.appendChild(make("bdi", row[0] + (row[1] && row[1] !== row[0] ? ", " + row[1] : "")));
      said.appendChild(document.createTextNode(": " + ["meets all standards", "misses a standard", "could not be judged"][row[VERDICT]] + ". "));
      if (row[PAGE]) {
        var link = make("a", "Page of this site");
        link.href = row[PAGE];
        said.appendChild(link);
      }
      if (ring) ring.remove();
      ring = L.circleMarker([row[LAT], row[LON]], { radius: 12, color: "#c0156b", weight: 3, fill: false, interactive: false }).addTo(map);
      if (move) {
        map.setView([row[LAT], row[LON]], Math.max(map.getZoom(), 14));
        byId("map").scrollIntoView({ block: "center" });
        byId("map").focus({ preventScroll: true });
      }
    }
    map.fitBounds(data.box, { padding: [14, 14] });
    draw();
    mark();
  }

  // ---- a map of layers ----

  function layers() {
    var map = plain();
    // The map opens where the first layer lies.
    var shownBox = null, control = L.control.layers(null, null, { collapsed: false });
    data.layers.forEach(function (layer) {
      var group = L.geoJSON({ type: "FeatureCollection", features: layer.features }, {
        style: function (feature) {
          return feature.geometry.type === "Point" ? {} :
            { color: layer.color, weight: layer.width, fillColor: layer.color, fillOpacity: layer.fill };
        },
        pointToLayer: function (feature, place) {
          return L.circleMarker(place, { radius: layer.radius, color: "#fff", weight: 0.75, fillColor: layer.color, fillOpacity: 0.9 });
        },
        onEachFeature: function (feature, drawn) {
          // A text node, so that nothing in a name is taken for markup.
          if (feature.properties.label) {
            drawn.bindTooltip(make("span", feature.properties.label), { sticky: true });
          }
        }
      });
      var box = group.getBounds();
      if (layer.shown) {
        group.addTo(map);
        shownBox = shownBox || box;
      }
      var key = make("span", "", "key"), name = make("span");
      key.style.borderColor = layer.color;
      key.style.background = layer.color + Math.round(Math.max(layer.fill, 0.15) * 255).toString(16).padStart(2, "0");
      name.appendChild(key);
      name.appendChild(document.createTextNode(layer.name));
      control.addOverlay(group, name.outerHTML);
    });
    control.addTo(map);
    map.fitBounds(shownBox || control._layers[0].layer.getBounds(), { padding: [12, 12] });
  }

  toKeep();
  stops();
  addEventListener("resize", stops);
  document.addEventListener("toggle", stops, true);
  openTarget();
  addEventListener("hashchange", openTarget);
  if (byId("explorer")) explorer(); else if (byId("sites")) sites(); else if (data.layers) layers();
}());
