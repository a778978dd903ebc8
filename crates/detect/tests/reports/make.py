"""Makes the pages that tools for reports make, with the tools themselves: `make.py FOLDER`."""

import json
import os
import pathlib
import subprocess
import sys

folder = pathlib.Path(sys.argv[1])
days = list(range(1, 31))
sales = [20 + 7 * (day % 5) for day in days]


def plotly():
    import plotly.graph_objects as go

    figure = go.Figure([go.Scatter(x=days, y=sales), go.Bar(x=days, y=sales)])
    figure.update_layout(title="Sales of the month")
    figure.write_html(folder / "plotly.html", include_plotlyjs=True)
    figure.write_html(folder / "plotly-cdn.html", include_plotlyjs="cdn")


def bokeh():
    from bokeh.embed import file_html
    from bokeh.models import Button, ColumnDataSource, CustomJS, DataTable, TableColumn
    from bokeh.layouts import column
    from bokeh.plotting import figure
    from bokeh.resources import INLINE

    source = ColumnDataSource({"day": days, "sales": sales})
    plot = figure(title="Sales of the month")
    plot.line("day", "sales", source=source)
    table = DataTable(source=source, columns=[TableColumn(field="day"), TableColumn(field="sales")])
    button = Button(label="Export as CSV")
    code = """
        const rows = source.data.day.map((day, at) => day + ',' + source.data.sales[at]);
        const file = new Blob([rows.join('\\n')], {type: 'text/csv;charset=utf-8;'});
        const link = document.createElement('a');
        link.href = URL.createObjectURL(file);
        link.download = 'sales.csv';
        link.click();
    """
    button.js_on_click(CustomJS(args={"source": source}, code=code))
    (folder / "bokeh.html").write_text(file_html(column(plot, table, button), INLINE, "Sales"))


def altair():
    import altair as alt

    rows = [{"day": day, "sales": value} for day, value in zip(days, sales)]
    chart = alt.Chart(alt.Data(values=rows)).mark_line().encode(x="day:Q", y="sales:Q")
    (folder / "altair.html").write_text(chart.to_html())


def folium():
    import folium

    place = folium.Map(location=[52.5, 13.4], zoom_start=12)
    folium.Marker([52.5, 13.4], popup="<b>Office</b>").add_to(place)
    place.save(str(folder / "folium.html"))


def pyvis():
    from pyvis.network import Network

    network = Network(cdn_resources="in_line", select_menu=True, filter_menu=True)
    network.add_nodes([1, 2, 3], label=["Anna", "Bert", "Carl"])
    network.add_edges([(1, 2), (2, 3)])
    (folder / "pyvis.html").write_text(network.generate_html(), encoding="utf-8")


def tests_and_coverage():
    (folder / "some.py").write_text("def double(number):\n    return 2 * number\n")
    (folder / "test_some.py").write_text(
        "from some import double\n\ndef test_two():\n    assert double(2) == 4\n\n"
        "def test_wrong():\n    assert double(2) == 5\n"
    )
    run = [sys.executable, "-m", "coverage", "run", "--source=.", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    run += ["--html=pytest.html", "--self-contained-html"]
    subprocess.run(run, cwd=folder, stdout=subprocess.DEVNULL, check=False)
    subprocess.run([sys.executable, "-m", "coverage", "html", "-q", "-d", "coverage"], cwd=folder, check=True)


def notebook():
    import nbformat
    from nbconvert import HTMLExporter, SlidesExporter

    book = nbformat.v4.new_notebook()
    book.cells = [
        nbformat.v4.new_markdown_cell("# Sales\n\nOf the *month*."),
        nbformat.v4.new_code_cell(
            "sum(sales)", outputs=[nbformat.v4.new_output("stream", text=str(sum(sales)))]
        ),
    ]
    for name, exporter in (("notebook", HTMLExporter), ("slides", SlidesExporter)):
        page, _ = exporter(embed_images=True).from_notebook_node(book)
        (folder / f"{name}.html").write_text(page, encoding="utf-8")


for make in (plotly, bokeh, altair, folium, pyvis, tests_and_coverage, notebook):
    make()
pages = [os.fspath(path.relative_to(folder)) for path in sorted(folder.rglob("*.html"))]
print(json.dumps(pages))
