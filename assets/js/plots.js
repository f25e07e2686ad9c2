/** Charts of the bench. The charting library is fetched only here, and only once it is wanted. */

/**
 * @param {{url: string, place: HTMLElement, scope: import("scope").Scope}} options `url` of the library, a classic script
 */
export function createPlots({ url, place, scope }) {
  let library = null;
  const drawn = [];

  scope.add(() => {
    for (const node of drawn) window.Plotly?.purge(node);
  });

  return {
    /**
     * @param {{title: string, data: object[], layout: object}[]} figures
     * @returns {Promise<boolean>} whether they stand there now
     */
    async draw(figures) {
      try {
        library ??= load(url);
        const plotly = await library;
        if (scope.disposed) return false;
        while (drawn.length < figures.length) {
          const node = document.createElement("div");
          node.className = "bench-chart";
          place.append(node);
          drawn.push(node);
        }
        for (const [index, { data, layout }] of figures.entries()) {
          await plotly.react(drawn[index], data, dressed(layout, place), CONFIG);
        }
        return true;
      } catch {
        library = null;
        return false;
      }
    },
  };
}

const CONFIG = { displayModeBar: false, responsive: true };

/** A layout in the colours and type of the page around it. */
function dressed(layout, place) {
  const style = getComputedStyle(place);
  const colour = (name) => style.getPropertyValue(name).trim();
  const axis = { gridcolor: colour("--hair"), linecolor: colour("--line"), zeroline: false, fixedrange: true };
  return {
    ...layout,
    paper_bgcolor: "transparent",
    plot_bgcolor: "transparent",
    font: { family: style.fontFamily, size: 13, color: colour("--ink") },
    margin: { l: 44, r: 8, t: 36, b: 72 },
    colorway: [colour("--ink"), colour("--clay"), colour("--line"), colour("--ink-soft"), colour("--hair")],
    legend: { orientation: "h", y: -0.28, yanchor: "top" },
    xaxis: { ...axis, ...layout.xaxis },
    yaxis: { ...axis, rangemode: "tozero", ...layout.yaxis },
  };
}

function load(url) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = url;
    script.addEventListener("load", () => (window.Plotly ? resolve(window.Plotly) : reject(new Error("no library came"))));
    script.addEventListener("error", () => reject(new Error("the library did not come")));
    document.head.append(script);
  });
}
