"""How many customers of one supplier pile cylinders up by chance, and what chance does not explain."""

from cylinder_trace.judging.rules.network.hoarding import Terms, beyond_chance

TERMS = Terms(customers=5, cylinders_each=5, window_days=28, given_back_share=0.1, chance=0.001)


def got(customers: int, each: int = 10) -> dict[str, int]:
    """So many customers that each got so many cylinders."""
    return {f"c{number}": each for number in range(customers)}


def test_five_of_five_customers_do_not_pile_up_by_chance() -> None:
    assert beyond_chance(got(5, 5), got(5, 5), TERMS)


def test_eleven_of_350_customers_have_five_deliveries_in_a_row_by_chance() -> None:
    # As measured at a busy industrial station: 11 with five or more, 4 with six, 2 with seven.
    assert not beyond_chance(got(7, 5) | {"x": 6, "y": 6, "z": 7, "zz": 8}, got(350), TERMS)


def test_ten_with_eight_cylinders_each_are_found_among_350_customers() -> None:
    by_chance = {f"by chance {number}": 5 for number in range(11)}
    assert beyond_chance(got(10, 8) | by_chance, got(350), TERMS)


def test_twice_as_many_as_chance_makes_are_too_many_at_the_least_height() -> None:
    assert beyond_chance(got(25, 5), got(350), TERMS)


def test_fewer_than_the_least_number_are_never_enough_however_high() -> None:
    assert not beyond_chance(got(4, 20), got(4, 20), TERMS)
    assert not beyond_chance({}, {}, TERMS)
