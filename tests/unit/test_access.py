from ipaddress import IPv4Network, IPv6Address, IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.access import Binding, Role, allowed, bound_to, counted_as, networks

V4 = st.ip_addresses(v=4)
V6 = st.ip_addresses(v=6).filter(lambda address: address.ipv4_mapped is None)
ADDRESSES = st.one_of(V4, V6)
NETWORKS = st.builds(lambda address, bits: f"{address}/{bits}", ADDRESSES, st.integers(0, 32))
HEADERS = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=40)


def mapped(address):
    """An IPv4 address as an IPv6 socket shows it."""
    return str(IPv6Address(f"::ffff:{address}"))


def bound(binding, user_agent="b", address="10.0.0.7"):
    return bound_to(binding, user_agent=user_agent, address=address)


def test_only_a_steward_may_change_things():
    assert [role for role in Role if role.changes] == [Role.STEWARD]


class TestNetworks:
    def test_none_named_are_none(self):
        assert networks("") == networks("  ") == ()

    @pytest.mark.parametrize("text", [",", " , ,"])
    def test_a_text_that_names_none_is_not_taken_for_everywhere(self, text):
        with pytest.raises(ValueError, match="names no network"):
            networks(text)

    @pytest.mark.parametrize("text", ["*", "attic", "10.0.0.0/33", "10.0.0", "10.0.0.1-10.0.0.9", "10.0.0.1 10.0.0.2"])
    def test_what_is_no_network_is_named(self, text):
        with pytest.raises(ValueError, match=text.split("/")[0].replace("*", r"\*")):
            networks(f"127.0.0.1, {text}")

    def test_an_address_within_a_network_stands_for_all_of_it(self):
        assert networks("192.168.1.20/24, ::1,") == (IPv4Network("192.168.1.0/24"), IPv6Network("::1"))

    @given(st.lists(NETWORKS, min_size=1, max_size=4))
    def test_what_is_read_and_written_again_reads_the_same(self, named):
        found = networks(" , ".join(named))
        assert len(found) == len(named)
        assert networks(",".join(map(str, found))) == found


class TestAllowed:
    @given(st.one_of(st.just(""), st.text(max_size=20), ADDRESSES.map(str)))
    def test_with_no_network_named_everybody_may_come(self, address):
        assert allowed(address, ())

    @given(ADDRESSES, st.lists(NETWORKS, min_size=1, max_size=3))
    def test_an_address_may_come_where_one_of_the_networks_has_it(self, address, named):
        among = networks(",".join(named))
        inside = any(address in network for network in among if network.version == address.version)
        assert allowed(str(address), among) is inside

    @given(ADDRESSES)
    def test_an_address_named_by_itself_may_come(self, address):
        assert allowed(str(address), networks(str(address)))

    @given(V4, NETWORKS)
    def test_over_an_ipv6_socket_an_ipv4_address_counts_as_itself(self, address, named):
        among = networks(named)
        expected = address in among[0] if among[0].version == 4 else False
        assert allowed(mapped(address), among) is expected

    @pytest.mark.parametrize(
        "address", ["", "testclient", "unix:", "10.0.0.7, 127.0.0.1", "010.0.0.7", "0x7f.1", "١٠.0.0.7"]
    )
    def test_what_is_no_address_lies_in_no_network(self, address):
        assert not allowed(address, networks("0.0.0.0/0, ::/0"))

    def test_an_address_with_the_name_of_its_link_lies_in_the_links_network(self):
        assert allowed("fe80::1%eth0", networks("fe80::/10"))


class TestCountedAs:
    @given(V4)
    def test_an_ipv4_address_counts_for_itself_on_either_socket(self, address):
        assert counted_as(str(address)) == counted_as(mapped(address)) == str(address)

    @given(V6, st.integers(0, 2**64 - 1))
    def test_all_ipv6_addresses_of_a_house_count_as_one(self, address, rest):
        neighbour = IPv6Address((int(address) >> 64 << 64) | rest)
        if neighbour.ipv4_mapped is None:
            assert counted_as(str(address)) == counted_as(str(neighbour))

    @given(V6, V6)
    def test_addresses_of_two_houses_do_not(self, one, other):
        if int(one) >> 64 != int(other) >> 64:
            assert counted_as(str(one)) != counted_as(str(other))

    @given(st.text(max_size=20))
    def test_whatever_else_stands_there_counts_as_what_it_is(self, text):
        assert isinstance(counted_as(text), str)

    def test_no_address_at_all_is_counted_too(self):
        assert counted_as("") == ""


class TestBinding:
    def test_unbound_every_browser_is_the_same(self):
        assert bound(Binding.NONE) == bound(Binding.NONE, "other", "10.0.0.8")

    @given(HEADERS, HEADERS, ADDRESSES, ADDRESSES)
    def test_bound_to_the_browser_the_address_does_not_matter(self, one, other, here, there):
        same = bound(Binding.USER_AGENT, one, str(here)) == bound(Binding.USER_AGENT, other, str(there))
        assert same is (one == other)

    @given(HEADERS, HEADERS, ADDRESSES, ADDRESSES)
    def test_bound_strictly_both_must_be_the_same(self, one, other, here, there):
        same = bound(Binding.STRICT, one, str(here)) == bound(Binding.STRICT, other, str(there))
        assert same is ((one, here) == (other, there))

    @given(HEADERS, HEADERS, HEADERS)
    def test_bound_strictly_nothing_moves_from_the_address_into_the_browser(self, one, between, other):
        here, there = f"host {one} {between}", f"host {one}"
        same = bound(Binding.STRICT, other, here) == bound(Binding.STRICT, f"{between} {other}", there)
        assert not same

    @given(V4)
    def test_bound_strictly_an_ipv4_address_is_the_same_on_either_socket(self, address):
        assert bound(Binding.STRICT, address=str(address)) == bound(Binding.STRICT, address=mapped(address))
