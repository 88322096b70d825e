"""What travelling costs, and how far money goes.

Ticket prices or a feed's own fares come in; prices of journeys, times within a budget and costs of a month go out.
"""
