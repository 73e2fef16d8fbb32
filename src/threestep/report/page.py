def write_report(events, path):
    path.write_text("todo")
