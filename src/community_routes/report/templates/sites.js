"use strict";
(function () {
  var data = JSON.parse(document.getElementById("sites-data").textContent);
  var columns = data.columns, rows = data.rows, n = columns.length;
  var PAGE = n, LAT = n + 1, LON = n + 2, VERDICT = n + 3, AT_ONCE = 100;
  document.documentElement.className = "";
  function byId(id) { return document.getElementById(id); }
  function make(name, text, kind) {
    var made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (kind) made.className = kind;
    return made;
  }
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
  function inOrder() {
    if (sortBy < 0) return;
    var compare = new Intl.Collator("en", { numeric: true }).compare, isText = columns[sortBy].kind === "text";
    var value = function (number) {
      var cell = rows[number][sortBy];
      if (isText) return cell === "" ? null : cell;
      // No stop or journey at all is worse than any shortfall; a site that was not judged is left to the end.
      if (columns[sortBy].kind === "mark" && cell === null) return -Infinity;
      return typeof cell === "number" ? cell : null;
    };
    shown.sort(function (a, b) {
      var x = value(a), y = value(b);
      if (x === null || y === null) return (x === null) - (y === null) || a - b;
      var order = isText ? compare(x, y) : x < y ? -1 : x > y ? 1 : 0;
      return (up ? order : -order) || a - b;
    });
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
    inOrder();
    draw();
    mark();
  }
  Array.prototype.forEach.call(byId("sites").tHead.rows[0].cells, function (head, column) {
    if (column >= n) return;
    var button = make("button");
    button.type = "button";
    while (head.firstChild) button.appendChild(head.firstChild);
    head.appendChild(button);
    button.addEventListener("click", function () {
      up = sortBy === column ? !up : true;
      sortBy = column;
      Array.prototype.forEach.call(byId("sites").tHead.rows[0].cells, function (other) { other.removeAttribute("aria-sort"); });
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      first = 0;
      inOrder();
      draw();
    });
  });
  byId("controls").addEventListener("submit", function (event) { event.preventDefault(); });
  var waiting = 0;
  byId("f-text").addEventListener("input", function () { clearTimeout(waiting); waiting = setTimeout(filter, 120); });
  byId("f-verdict").addEventListener("change", filter);
  byId("f-standard").addEventListener("change", filter);
  byId("p-back").addEventListener("click", function () { first = Math.max(0, first - AT_ONCE); draw(); });
  byId("p-on").addEventListener("click", function () { first += AT_ONCE; draw(); });

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
  L.control.scale({ imperial: false }).addTo(map);
  map.fitBounds(data.box, { padding: [14, 14] });
  draw();
  mark();
})();
