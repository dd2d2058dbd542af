/// How a report looks: one column, in the reader's own colours and fonts, on paper without what is folded.
enum ReportStyle {
    static let head: StaticString = """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="generator" content="eoss">
        <meta name="color-scheme" content="light dark">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
        <style>
        :root { color-scheme: light dark; --line: #d7dbe0; --soft: #5b6570; --panel: #f5f6f8; --link: #0b5cad; }
        @media (prefers-color-scheme: dark) { :root { --line: #3a4048; --soft: #a2abb6; --panel: #1d2126; --link: #7db7f5; } }
        * { box-sizing: border-box; }
        body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 60rem; font: 16px/1.5 system-ui, sans-serif;
          background: Canvas; color: CanvasText; overflow-wrap: anywhere; }
        h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .3rem; }
        h2 { font-size: 1.3rem; margin: 2.5rem 0 .5rem; padding-top: .8rem; border-top: 1px solid var(--line); }
        h3 { font-size: 1rem; margin: 1.6rem 0 .4rem; }
        p.facts { margin: .2rem 0; color: var(--soft); }
        p.alert { margin: .6rem 0; padding: .5rem .8rem; border-left: 4px solid #c9382b; background: var(--panel); }
        a { color: var(--link); }
        img { display: block; max-width: 100%; height: auto; margin: .5rem 0 1rem; background: #fff; }
        .scroll { overflow-x: auto; }
        table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
        th, td { text-align: left; vertical-align: top; padding: .25rem .9rem .25rem 0; border-bottom: 1px solid var(--line); }
        th { font-weight: 600; color: var(--soft); white-space: nowrap; }
        td:first-child { overflow-wrap: normal; }
        th.number, td.number { text-align: right; white-space: nowrap; }
        pre { margin: .4rem 0; padding: .8rem; overflow-x: auto; background: var(--panel); font: 13px/1.45 ui-monospace, monospace;
          tab-size: 2; overflow-wrap: normal; }
        details > summary { cursor: pointer; color: var(--link); margin: .4rem 0; }
        @media (prefers-color-scheme: dark) { img { filter: invert(1) hue-rotate(180deg); } }
        @media (max-width: 640px) { body { font-size: 15px; padding-top: 1rem; } pre { font-size: 12px; } }
        @media print { body { max-width: none; padding: 0; font-size: 10pt; } pre { white-space: pre-wrap; overflow-wrap: anywhere; }
          h2, h3 { break-after: avoid; } img, tr { break-inside: avoid; } .scroll { overflow: visible; } }
        </style>

        """
}
