from shared.runtime.metrics import Registry


def test_counters_gauges_and_histograms_in_the_text_format():
    registry = Registry()
    counter = registry.counter("weir_events_total", "Events.", ("project",))
    counter.add('a"b\\c\nd')
    counter.add('a"b\\c\nd', amount=2)
    registry.gauge("weir_open", "Open.").set(to=3)
    histogram = registry.histogram("weir_seconds", "Time.", ("way",), bounds=(0.1, 1))
    histogram.observe("in", value=0.1)
    histogram.observe("in", value=5)

    assert registry.render() == (
        "# HELP weir_events_total Events.\n"
        "# TYPE weir_events_total counter\n"
        'weir_events_total{project="a\\"b\\\\c\\nd"} 3\n'
        "# HELP weir_open Open.\n"
        "# TYPE weir_open gauge\n"
        "weir_open 3\n"
        "# HELP weir_seconds Time.\n"
        "# TYPE weir_seconds histogram\n"
        'weir_seconds_bucket{way="in",le="0.1"} 1\n'
        'weir_seconds_bucket{way="in",le="1"} 1\n'
        'weir_seconds_bucket{way="in",le="+Inf"} 2\n'
        'weir_seconds_sum{way="in"} 5.1\n'
        'weir_seconds_count{way="in"} 2\n'
    )


def test_large_numbers_lose_nothing():
    """A rate is what two of them differ by."""
    registry = Registry()
    stored = registry.counter("stored_total", "Stored.")
    took = registry.histogram("took_seconds", "Took.", bounds=(1,))
    stored.add(amount=1_234_567)
    took.observe(value=1_234_567.25)
    took.observe(value=0.001)
    lines = registry.render().splitlines()
    assert "stored_total 1234567" in lines
    assert "took_seconds_sum 1234567.251" in lines
